import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from cloud.evaluator import Verdict, decide
from cloud.policy_pairs import Pair, pairs

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "iam-simulate"
# An independent simulator, for development only and in a process of its own (AGPL).
PACKAGE = "@cloud-copilot/iam-simulate"
VERSION = "0.1.173"
VERDICTS = {
    "Allowed": Verdict.ALLOWED,
    "ExplicitlyDenied": Verdict.EXPLICIT_DENY,
    "ImplicitlyDenied": Verdict.NO_ALLOW,
}
COUNT = int(os.environ.get("JARKEEPER_POLICY_PAIRS", "600"))


@pytest.fixture(scope="module")
def simulator():
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the second opinion needs node and npm")
    if not (CACHE / "node_modules" / PACKAGE).exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(CACHE), "--no-audit", "--no-fund"]
        command += ["--ignore-scripts", f"{PACKAGE}@{VERSION}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"npm cannot install the second opinion: {type(error).__name__}")
    return CACHE


def ask_simulator(folder: Path, questions: list[Pair]) -> list[dict]:
    lines = "\n".join(json.dumps(simulation(x)) for x in questions)
    done = subprocess.run(
        ["node", str(HERE / "simulate.mjs")],
        input=lines,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def simulation(pair: Pair) -> dict:
    ask, policies = pair.ask, pair.policies
    session, boundary = (*policies.limits, None, None)[:2]
    return {
        "request": {
            "principal": ask.caller.session_arn,
            "action": ask.action,
            "resource": {"resource": ask.resource, "accountId": ask.caller.account},
            "contextVariables": {
                key: list(x) if isinstance(x, tuple) else x for key, x in ask.context.items()
            },
        },
        "identityPolicies": [
            {"name": f"policy-{n}", "policy": x} for n, x in enumerate(policies.identity)
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "resourcePolicy": policies.resource,
        "sessionPolicy": session[0] if session else None,
        "permissionBoundaryPolicies": [{"name": "b", "policy": boundary[0]}] if boundary else None,
    }


def test_an_independent_simulator_reaches_the_same_verdicts(simulator):
    questions = pairs(COUNT, seed=20260501)

    answers = ask_simulator(simulator, questions)

    differing, seen = [], Counter()
    for pair, answer in zip(questions, answers, strict=True):
        assert not answer.get("errors"), (answer["errors"], simulation(pair))
        ours, theirs = decide(pair.ask, pair.policies), VERDICTS[answer["verdict"]]
        seen[ours] += 1
        if ours != theirs:
            differing.append((ours, theirs, simulation(pair)))
    assert not differing, f"{len(differing)} differ, first: {json.dumps(differing[0], indent=1)}"
    # Every verdict was put to the test often enough to mean something.
    assert min(seen[x] for x in Verdict) > COUNT / 20, seen
