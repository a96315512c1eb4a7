use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A folder with a configuration file where `XDG_CONFIG_HOME` leads to.
fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("braid")).unwrap();
    fs::write(home.path().join("braid/config.toml"), config).unwrap();
    home
}

fn config(options: &GlobalOptions, pairs: &[(&str, &str)]) -> ClientConfig {
    client_config(options, &environment(pairs)).unwrap()
}

fn refusal(options: &GlobalOptions, pairs: &[(&str, &str)]) -> Failure {
    client_config(options, &environment(pairs)).unwrap_err()
}

fn key(config: &ClientConfig) -> Option<Credentials> {
    config.credentials.clone()
}

fn credentials(id: &str, secret: &str) -> Option<Credentials> {
    Some(Credentials::new(id, secret).unwrap())
}

#[test]
fn each_layer_covers_the_one_below() {
    let home = home("endpoint = 'http://file'\naccess_key_id = 'file'\nsecret_access_key = 's-file'\n");
    let xdg = ("XDG_CONFIG_HOME", home.path().to_str().unwrap());
    let none = GlobalOptions::default();
    assert_eq!(config(&none, &[]).endpoints, [DEFAULT_ENDPOINT]);
    assert_eq!(key(&config(&none, &[])), None);

    let file = config(&none, &[xdg]);
    assert_eq!(
        (file.endpoints.join(","), key(&file)),
        ("http://file".to_owned(), credentials("file", "s-file"))
    );

    let env = [xdg, ("BRAID_ENDPOINT", "http://env"), ("BRAID_SECRET_ACCESS_KEY", "s-env")];
    let covered = config(&none, &env);
    assert_eq!(
        (covered.endpoints.join(","), key(&covered)),
        ("http://env".to_owned(), credentials("file", "s-env"))
    );

    let secret = home.path().join("secret");
    fs::write(&secret, "s-flag\r\n").unwrap();
    let flags = GlobalOptions {
        endpoint: Some("http://flag, http://flag-2".into()),
        access_key_id: Some("flag".into()),
        secret_access_key_file: Some(secret),
        ..none
    };
    let covered = config(&flags, &env);
    assert_eq!(covered.endpoints, ["http://flag", "http://flag-2"]);
    assert_eq!(key(&covered), credentials("flag", "s-flag"));
}

#[test]
fn the_default_file_may_be_missing_and_a_named_one_may_not() {
    let none = GlobalOptions::default();
    assert_eq!(config(&none, &[("HOME", "/nonexistent")]).endpoints, [DEFAULT_ENDPOINT]);
    let named = GlobalOptions { config: Some("/nonexistent/braid.toml".into()), ..GlobalOptions::default() };
    assert!(refusal(&named, &[]).to_string().contains("'/nonexistent/braid.toml' cannot be used"));
    assert!(matches!(refusal(&none, &[("BRAID_CONFIG", "/nonexistent/x")]), Failure::ConfigFile { .. }));
}

#[test]
fn home_is_where_the_file_is_without_xdg() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/braid")).unwrap();
    fs::write(home.path().join(".config/braid/config.toml"), "endpoint = 'http://home'").unwrap();
    let home = home.path().to_str().unwrap();
    let pairs = [("HOME", home), ("XDG_CONFIG_HOME", "")];
    assert_eq!(config(&GlobalOptions::default(), &pairs).endpoints, ["http://home"]);
}

#[test]
fn mistakes_in_the_file_are_named_by_line_and_show_no_secret() {
    for (text, expected) in [
        ("endpoint = 'x'\nsecret_acess_key = 'hush'\n", "line 2: unknown field `secret_acess_key`"),
        ("secret_access_key = 'hush", "line 1: "),
        ("\n\nsecret_access_key = ['hush']", "line 3: "),
    ] {
        let home = home(text);
        let failure =
            refusal(&GlobalOptions::default(), &[("XDG_CONFIG_HOME", home.path().to_str().unwrap())]);
        let message = failure.to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("hush"), "{message}");
    }
}

#[test]
fn half_a_key_is_no_key() {
    let none = GlobalOptions::default();
    let only_id = refusal(&none, &[("BRAID_ACCESS_KEY_ID", "AKIA")]);
    assert!(only_id.to_string().contains("'AKIA' has no secret"));
    let only_secret = refusal(&none, &[("BRAID_SECRET_ACCESS_KEY", "hush")]);
    assert!(!only_secret.to_string().contains("hush"));
    let home = home("access_key_id = 'a'\nsecret_access_key = 'b'\nsecret_access_key_file = 'c'");
    let both = refusal(&none, &[("XDG_CONFIG_HOME", home.path().to_str().unwrap())]);
    assert!(both.to_string().contains("both given"));
}

#[test]
fn files_that_were_named_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let options = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        GlobalOptions { secret_access_key_file: Some(path), ..GlobalOptions::default() }
    };
    let id = ("BRAID_ACCESS_KEY_ID", "a");
    assert!(refusal(&options("empty", b"\n"), &[id]).to_string().contains("is empty"));
    assert!(refusal(&options("latin", b"\xe9"), &[id]).to_string().contains("not UTF-8"));
    let authorities = folder.path().join("ca.pem");
    fs::write(&authorities, "PEM").unwrap();
    let named = [("BRAID_CA_FILE", authorities.to_str().unwrap())];
    assert_eq!(config(&GlobalOptions::default(), &named).tls.ca_certificates.as_deref(), Some(&b"PEM"[..]));
    assert!(matches!(
        refusal(&GlobalOptions::default(), &[("BRAID_CA_FILE", "/nonexistent")]),
        Failure::Local { .. }
    ));
}
