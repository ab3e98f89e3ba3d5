//! A relay that lies: every change, loss, repetition and swap of a message is
//! found out, and nothing that was tampered with reaches the page.

use cablecar_tests::World;

#[tokio::test(start_paused = true)]
async fn an_honest_relay_carries_a_registration_and_a_sign_in() {
    let mut world = World::default();
    let story = world.register("alice").await;
    story.computer.unwrap();
    let story = world.sign_in().await;
    assert_eq!(story.computer.unwrap()["response"]["userHandle"], "YWxpY2U");
    println!("{:?}", world.relay.carried().iter().map(|c| (c.from, c.message.len())).collect::<Vec<_>>());
}
