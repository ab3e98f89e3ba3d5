//! Adverts that were recorded and are played again (T3).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use cablecar_protocol::eid::ServiceData;
use cablecar_tests::World;

#[tokio::test(start_paused = true)]
async fn t3_a_recorded_advert_is_nobodys_in_the_next_transaction() {
    let mut world = World::default();
    world.register("alice").await.computer.unwrap();
    let recorded = world.air.recorded();
    let joined = world.relay.joined();
    assert_eq!(joined, 1);

    // Played before, and all the time beside, the true one.
    let replay = {
        let air = world.air.clone();
        tokio::spawn(async move {
            loop {
                recorded.iter().for_each(|advert| air.say(advert.clone()));
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
    };
    let story = world.sign_in().await;
    replay.abort();
    story.computer.unwrap();
    assert!(world.glass.seen().not_ours >= 1, "the replay was not even heard");
    assert_eq!(world.relay.joined(), joined + 1, "a replay led to a tunnel");
}

#[tokio::test(start_paused = true)]
async fn t3_one_tunnel_is_joined_however_often_the_advert_is_repeated() {
    let mut world = World::default();
    let echo = {
        let air = world.air.clone();
        tokio::spawn(async move {
            loop {
                for advert in air.recorded().into_iter().take(50) {
                    air.say(advert);
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
    };
    let story = world.register("alice").await;
    echo.abort();
    story.computer.unwrap();
    assert_eq!(world.relay.joined(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_air_full_of_strangers_delays_nobody() {
    let mut world = World::default();
    let noise = {
        let air = world.air.clone();
        tokio::spawn(async move {
            for stranger in 0u32.. {
                let mut data = [0xa5; 24];
                data[..4].copy_from_slice(&stranger.to_be_bytes());
                air.say(ServiceData::new(&data[..20 + usize::try_from(stranger % 5).unwrap()]).unwrap());
                tokio::task::yield_now().await;
            }
        })
    };
    let story = world.register("alice").await;
    noise.abort();
    story.computer.unwrap();
    assert_eq!(world.relay.joined(), 1);
}
