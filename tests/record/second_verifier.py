"""A second verifier of journals, written from docs/journal.md with the standard library alone.

`second_verifier.py FILE` prints the head in hex, exit status 0, or says the first thing that is wrong, exit status 1.
"""

import hashlib
import json
import sys
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


def refuse(text):
    raise ValueError(f"a number that is not whole: {text}")


def check(line, number, previous):
    """The hash of the record; raises ValueError or KeyError."""
    record = json.loads(line, parse_float=refuse, parse_constant=refuse)
    if canonical(record) != line:
        raise ValueError("not canonical")
    if set(record) != {"at", "hash", "leaves", "open", "prev", "seq", "type", "v"} or record["v"] != 1:
        raise ValueError("not a record")
    opened = record.pop("open")
    claimed = record.pop("hash")
    if digest(record) != claimed:
        raise ValueError("wrong hash")
    if record["seq"] != number or record["prev"] != previous:
        raise ValueError("out of its place")
    if set(opened) != set(record["leaves"]):
        raise ValueError("values added or taken out")
    for field, part in opened.items():
        if digest({"field": field, **part}) != record["leaves"][field]:
            raise ValueError(f"wrong value of {field}")
    return claimed


def main(path):
    previous = "0" * 64
    content = Path(path).read_bytes()
    if not content.endswith(b"\n"):
        return "the last line has no end"
    for number, line in enumerate(content[:-1].split(b"\n"), start=1):
        try:
            previous = check(line, number, previous)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return f"record {number}: {error}"
    sys.stdout.write(f"{previous}\n")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
