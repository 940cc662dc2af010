"""Compose file and manifests for attaching say what they have to, as far as no cluster is asked."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from maskwatch.environment import known_names

_ATTACH = Path(__file__).parents[2] / "deploy" / "attach"
_NATIVE = _ATTACH / "kubernetes" / "native-sidecar.yaml"
_PLAIN = _ATTACH / "kubernetes" / "plain-containers.yaml"
_MASKWATCH = {"maskwatch", "jobs", "dashboard"}
# Read by `maskwatch proxy`.
_PROXY_NAMES = {"MASKWATCH_UPSTREAM", "MASKWATCH_PRESET"}


def _read(path: Path) -> list[Any]:
    return list(import_module("yaml").safe_load_all(path.read_text()))


def _pod(path: Path) -> Any:
    deployment, _ = _read(path)
    return deployment["spec"]["template"]["spec"]


def _containers(path: Path) -> dict[str, Any]:
    pod = _pod(path)
    return {each["name"]: each for each in (*pod.get("initContainers", ()), *pod["containers"])}


def test_native_sidecars_start_first_and_go_on() -> None:
    pod = _pod(_NATIVE)
    assert {each["name"] for each in pod["initContainers"]} == _MASKWATCH
    assert all(each["restartPolicy"] == "Always" for each in pod["initContainers"])
    assert pod["initContainers"][0]["startupProbe"]
    assert [each["name"] for each in pod["containers"]] == ["parser"]


def test_plain_containers_are_the_same_ones() -> None:
    native, plain = _containers(_NATIVE), _containers(_PLAIN)
    assert "initContainers" not in _pod(_PLAIN)
    assert plain == {
        name: {key: value for key, value in each.items() if key != "restartPolicy"}
        for name, each in native.items()
    }


@pytest.mark.parametrize("path", [_NATIVE, _PLAIN])
def test_containers_of_ours_may_do_as_little_as_they_need(path: Path) -> None:
    for name in _MASKWATCH:
        context = _containers(path)[name]["securityContext"]
        assert context["runAsNonRoot"]
        assert context["readOnlyRootFilesystem"]
        assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("path", [_NATIVE, _PLAIN])
def test_the_service_leads_to_the_proxy(path: Path) -> None:
    deployment, service = _read(path)
    proxy = _containers(path)["maskwatch"]
    assert proxy["args"] == ["proxy"]
    assert service["spec"]["ports"][0]["targetPort"] == proxy["ports"][0]["containerPort"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    (policy,) = _read(_ATTACH / "kubernetes" / "network-policy.yaml")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]


def test_compose_leaves_no_way_past_the_proxy() -> None:
    (compose,) = _read(_ATTACH / "compose.yaml")
    services, networks = compose["services"], compose["networks"]
    assert "ports" not in services["parser"]
    assert services["parser"]["networks"] == ["inside"]
    assert networks["inside"] == {"internal": True}
    assert services["proxy"]["command"] == ["proxy"]
    published = [port for each in services.values() for port in each.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_setting_is_one_that_is_read() -> None:
    (compose,) = _read(_ATTACH / "compose.yaml")
    names = {name for each in compose["services"].values() for name in each.get("environment", ())}
    for path in (_NATIVE, _PLAIN):
        for container in _containers(path).values():
            names |= {variable["name"] for variable in container.get("env", ())}
    assert names >= _PROXY_NAMES
    assert names <= known_names() | _PROXY_NAMES
