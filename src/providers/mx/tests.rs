//! What opens a login, and what MX may be asked for.

use super::*;

fn mx(env: &'static str) -> Mx {
    let settings = MxSettings {
        env,
        base_url: "http://127.0.0.1:1/mx".to_owned(),
        client_id: "client".into(),
        api_key: "key".into(),
        webhook: None,
    };
    Mx::new(settings, Clock::default(), Metrics::default()).unwrap()
}

#[test]
fn what_another_environment_knows_is_neither_here_nor_gone() {
    let own = linked("int:USR-1", "MBR-1".to_owned()).access_token;
    let path = mx("int").member(&own).map(|member| member.path());
    assert_eq!(path.unwrap(), "/users/USR-1/members/MBR-1");
    let elsewhere = mx("production").member(&own).err();
    assert_eq!(elsewhere.unwrap().class, ErrorClass::Operator);
    // Of before environments were written down.
    let old = SecretString::from("USR-1/MBR-1");
    assert!(mx("production").member(&old).is_ok());
    // A person is made known where she is not.
    for unknown in ["USR-1", "production:USR-1"] {
        let unknown = mx("int").user_known(unknown).unwrap_err();
        assert_eq!(unknown.class, ErrorClass::Gone);
    }
}

#[test]
fn a_guid_holds_nothing_that_a_path_is_made_of() {
    for strange in [
        "",
        "../users",
        "..",
        "MBR-1/../..",
        "MBR-1?x",
        "MBR%2F1",
        "MBR 1",
        "int:USR-1",
        "MBR-ü",
    ] {
        assert!(guid(Some(strange.to_owned())).is_err(), "{strange}");
    }
    assert!(guid(None).is_err());
    assert_eq!(guid(Some("MBR-1_a".to_owned())).unwrap(), "MBR-1_a");
    for strange in ["", "../users", "mx bank", "mx/bank", "mxbank?"] {
        assert!(code(strange).is_err(), "{strange}");
    }
}
