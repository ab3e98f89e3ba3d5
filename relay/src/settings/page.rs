//! `docs/relay-settings.md` says what the tables say. With
//! `CABLECAR_WRITE_PAGES=1` the test writes it.

use super::{Settings, reasons, rows};

/// The tables of the page.
fn tables() -> String {
    let mut text = String::new();
    let mut table = None;
    for (row, default) in rows().iter().zip(Settings::default().shown()) {
        if table != Some(row.table) {
            table = Some(row.table);
            let title = if row.table.is_empty() { "The top".into() } else { format!("`[{}]`", row.table) };
            text += &format!("\n## {title}\n\n| key | flag | default | meaning |\n|---|---|---|---|\n");
        }
        let default = default.map_or_else(String::new, |default| format!("`{default}`"));
        let reason = row.constant.and_then(reasons::reason).map(|reason| format!(" Reason: {reason}"));
        let meaning = format!("{}.{}", row.help, reason.unwrap_or_default());
        text += &format!("| `{}` | `--{}` | {default} | {meaning} |\n", row.key, row.flag);
    }
    text
}

#[test]
fn the_page_of_settings_is_not_stale() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/relay-settings.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (head, written) = page.split_at(page.find("\n## The top").unwrap());
    assert!(head.contains("CABLECAR_RELAY_"), "{head}");
    let tables = tables();
    if std::env::var_os("CABLECAR_WRITE_PAGES").is_some() {
        std::fs::write(path, format!("{head}{tables}")).unwrap();
    } else {
        assert!(written == tables, "stale: run this test with CABLECAR_WRITE_PAGES=1");
    }
}
