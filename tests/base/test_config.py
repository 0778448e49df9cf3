"""Settings: a working default for each, and a bad value told by the name of its variable."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.base.config import ChannelSetting, Config


def _read(tmp_path: Path, **variables: str) -> Config:
    return Config.from_env({"TIDEGATE_DATA_DIR": str(tmp_path), **variables})


def test_without_any_variable_everything_runs_on_this_machine(tmp_path: Path) -> None:
    config = _read(tmp_path)
    assert config == Config(
        data_dir=tmp_path,
        secret=(tmp_path / "secret").read_bytes(),
        host="127.0.0.1",
        port=8470,
        public_url="http://127.0.0.1:8470",
        web_workers=1,
        database_connections_max=12,
        channels=(
            ChannelSetting(name="harbour", url="http://127.0.0.1:8471", secret="sandbox-harbour"),
            ChannelSetting(name="lantern", url="http://127.0.0.1:8472", secret="sandbox-lantern"),
        ),
        sms="sandbox",
    )


def test_each_variable_is_read(tmp_path: Path) -> None:
    certificate = tmp_path / "shop.pem"
    certificate.touch()
    config = _read(
        tmp_path,
        TIDEGATE_SECRET="s" * 32,
        TIDEGATE_DATABASE_URL="postgresql://db/shop",
        TIDEGATE_REPLICA_URL="postgresql://replica/shop",
        TIDEGATE_CACHE_URL="valkey://cache",
        TIDEGATE_HOST="0.0.0.0",
        TIDEGATE_PORT="9000",
        TIDEGATE_PUBLIC_URL="https://shop.example",
        TIDEGATE_WEB_WORKERS="4",
        TIDEGATE_DATABASE_CONNECTIONS="30",
        TIDEGATE_CHANNELS='[{"name": "bank", "url": "https://bank.example", "secret": "x", "weight": 3}]',
        TIDEGATE_SMS="http",
        TIDEGATE_SMS_URL="https://sms.example",
        TIDEGATE_SMS_SECRET="y",
        TIDEGATE_HOLD_SECONDS="60",
        TIDEGATE_TLS_CERT=str(certificate),
        TIDEGATE_TLS_KEY=str(certificate),
        TIDEGATE_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8,::1",
        TIDEGATE_DEFENCE_HOOK_URL="https://scrubber.example",
        TIDEGATE_DEFENCE_HOOK_SECRET="z" * 32,
        TIDEGATE_EDGE_URLS="https://10.0.0.5/, http://10.0.0.6:8080",
        TIDEGATE_EDGE_PURGE="cloudflare-urls",
        TIDEGATE_EDGE_PURGE_URL="https://api.example/zones/z/purge_cache",
        TIDEGATE_EDGE_PURGE_TOKEN="t",
    )
    assert config == Config(
        data_dir=tmp_path,
        secret=b"s" * 32,
        database_url="postgresql://db/shop",
        replica_url="postgresql://replica/shop",
        cache_url="valkey://cache",
        host="0.0.0.0",
        port=9000,
        public_url="https://shop.example",
        web_workers=4,
        database_connections_max=30,
        channels=(ChannelSetting(name="bank", url="https://bank.example", secret="x", weight=3),),
        sms="http",
        sms_url="https://sms.example",
        sms_secret="y",
        secure_cookies=True,
        hold_seconds=60,
        tls_cert=certificate,
        tls_key=certificate,
        trusted_proxies=("127.0.0.1", "10.0.0.0/8", "::1"),
        defence_hook_url="https://scrubber.example",
        defence_hook_secret="z" * 32,
        edge_urls=("https://10.0.0.5", "http://10.0.0.6:8080"),
        edge_purge="cloudflare-urls",
        edge_purge_url="https://api.example/zones/z/purge_cache",
        edge_purge_token="t",
    )
    assert not (tmp_path / "secret").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEGATE_PORT", "http"),
        ("TIDEGATE_PORT", "-1"),
        ("TIDEGATE_PORT", "0"),
        ("TIDEGATE_PORT", "65536"),
        ("TIDEGATE_PORT", "8470.5"),
        ("TIDEGATE_TRUSTED_PROXIES", "everybody"),
        ("TIDEGATE_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TIDEGATE_PORT", "٨٤٧٠"),
        ("TIDEGATE_PORT", "9" * 5_000),
        ("TIDEGATE_WEB_WORKERS", "0"),
        ("TIDEGATE_DATABASE_CONNECTIONS", "0"),
        ("TIDEGATE_HOLD_SECONDS", "1e3"),
        ("TIDEGATE_SECRET", "too short"),
        ("TIDEGATE_EDGE_URLS", "10.0.0.5"),
        ("TIDEGATE_EDGE_URLS", "https://10.0.0.5/shop"),
        ("TIDEGATE_EDGE_PURGE", "by hand"),
        ("TIDEGATE_CHANNELS", "harbour"),
        ("TIDEGATE_CHANNELS", '[{"name": "harbour"}]'),
        ("TIDEGATE_CHANNELS", '{"name": 1}'),
    ],
)
def test_a_bad_value_is_told_by_the_name_of_its_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        _read(tmp_path, **{name: value})


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = {config.secret for config in pool.map(lambda _: _read(tmp_path / "new"), range(64))}
    assert len(made) == 1
    assert len(made.pop()) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["secret"]


def test_an_empty_or_shortened_secret_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / "secret"
    for content in ("", "short"):
        kept.write_text(content)
        with pytest.raises(ValueError, match="holds fewer than 32 characters"):
            _read(tmp_path)
        assert kept.read_text() == content


def test_a_hook_needs_a_secret_worth_the_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TIDEGATE_DEFENCE_HOOK_SECRET must be at least 32 characters"):
        _read(tmp_path, TIDEGATE_DEFENCE_HOOK_URL="https://scrubber.example", TIDEGATE_DEFENCE_HOOK_SECRET="short")


def test_a_way_to_purge_that_speaks_to_a_maker_needs_its_address_and_token(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs TIDEGATE_EDGE_PURGE_URL and TIDEGATE_EDGE_PURGE_TOKEN"):
        _read(tmp_path, TIDEGATE_EDGE_PURGE="fastly-keys", TIDEGATE_EDGE_PURGE_URL="https://api.example")
    assert _read(tmp_path, TIDEGATE_EDGE_PURGE="method").edge_purge == "method"


def test_with_its_own_certificate_the_shop_is_reached_by_https(tmp_path: Path) -> None:
    certificate = tmp_path / "shop.pem"
    certificate.touch()
    config = _read(tmp_path, TIDEGATE_TLS_CERT=str(certificate), TIDEGATE_TLS_KEY=str(certificate))
    assert (config.public_url, config.secure_cookies) == ("https://127.0.0.1:8470", True)


def test_an_ipv6_address_stands_in_brackets_in_the_public_url(tmp_path: Path) -> None:
    assert _read(tmp_path, TIDEGATE_HOST="::1").public_url == "http://[::1]:8470"


def test_the_list_of_datacenter_networks_is_a_file_that_is_there(tmp_path: Path) -> None:
    listed = tmp_path / "networks.txt"
    with pytest.raises(ValueError, match=f"TIDEGATE_DATACENTER_NETWORKS must name a file; there is no {listed}"):
        _read(tmp_path, TIDEGATE_DATACENTER_NETWORKS=str(listed))
    listed.write_text("203.0.113.0/24")
    assert _read(tmp_path, TIDEGATE_DATACENTER_NETWORKS=str(listed)).datacenter_networks == listed
    assert _read(tmp_path).datacenter_networks is None
