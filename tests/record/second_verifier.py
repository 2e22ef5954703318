"""A second verifier of journals, written from docs/journal.md with the standard library alone.

`second_verifier.py FILE [HEAD]` prints the head in hex and what it saw, exit status 0, or says the first thing that is
wrong, exit status 1. A journal in a folder with `attachments` is checked together with them.
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path


def canonical(value):
    """RFC 8785 for text, whole numbers, true, false, null, lists and objects: keys sorted by UTF-16 code units."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def digest(value):
    return hashlib.sha256(canonical(value)).hexdigest()


def require(holds, otherwise):
    if not holds:
        raise ValueError(otherwise)


def check(line, number, previous):
    """Type, values and hash of the record; raises ValueError, KeyError, TypeError or AttributeError."""
    record = json.loads(line, parse_float=lambda text: require(False, f"a number that is not whole: {text}"))
    require(canonical(record) == line, "not canonical")
    require(set(record) == {"at", "hash", "leaves", "open", "prev", "seq", "type", "v"}, "not a record")
    opened, claimed, leaves = record.pop("open"), record.pop("hash"), record["leaves"]
    require(record["v"] == 1 and digest(record) == claimed, "wrong hash")
    require((record["seq"], record["prev"]) == (number, previous), "out of its place")
    require(set(opened) == set(leaves), "values added or taken out")
    for field, part in opened.items():
        require(set(part) == {"level", "salt", "value"}, f"not a value: {field}")
        require(digest({"field": field, **part}) == leaves[field], f"wrong value of {field}")
    return record["type"], {field: part["value"] for field, part in opened.items()}, claimed


def follow(kind, values, number, previous, run):
    """What the types of records promise of one another."""
    require((kind == "run.started") == (number == 1), "a run starts with its first record, and once")
    step = values.get("step")
    if kind == "step.started":
        require(not run["settled"], "what was settled did not finish")
        run["begun"] = step
    elif kind in ("step.finished", "step.skipped"):
        run.update({name: "" for name in ("begun", "settled") if run[name] == step})
    elif kind == "step.settled":
        run["settled"] = step
    elif kind == "run.resumed":
        run.update(begun="", settled="", doubted=run["doubted"] + bool(run["begun"]), cut=run["cut"] + values["cut"])
    elif kind == "approval.asked":
        require(values["head"] == previous, "the head of the question is not the one before it")
        run[values["nonce"]] = values
    elif kind == "approval.given":
        said = json.loads(values["statement"])
        for name in ("step", "action_sha256", "head", "nonce", "asked_at", "expires_at"):
            require(said[name] == run[said["nonce"]][name], f"the approval is of another {name}")


def attachment(folder, values):
    content = (folder / "attachments" / values["sha256"]).read_bytes()
    stored = (values["sha256"], values["size"])
    require((hashlib.sha256(content).hexdigest(), len(content)) == stored, f"attachment {values['name']} was changed")


def main(path, head=""):
    previous, number, seen = "0" * 64, 0, Counter()
    run = {"begun": "", "settled": "", "doubted": 0, "cut": 0}
    try:
        *lines, torn = Path(path).read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            kind, values, claimed = check(line, number, previous)
            follow(kind, values, number, previous, run)
            if kind == "attached":
                attachment(Path(path).parent, values)
            previous, seen[kind] = claimed, seen[kind] + 1
        require(lines and not torn, "the last line has no end")
        require(previous.startswith(head.replace(" ", "").lower()), "this is not the head on paper")
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        sys.exit(f"record {number}: {error}")
    sys.stdout.write(f"{previous}\n{number} records, {seen['attached']} attached, {seen['run.resumed']} resumed, ")
    sys.stdout.write(f"{run['doubted']} in doubt, {run['cut']} bytes cut\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
