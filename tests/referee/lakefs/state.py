"""Prints all that lakeFS's REST API tells of a repository: state.py URL REPOSITORY [REF…]

Both lakeFS and Braid answer it, so equal repositories print equal lines. The refs are looked at besides the branches and tags.
Keys are taken from LAKECTL_CREDENTIALS_ACCESS_KEY_ID and LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY.
"""

import base64
import json
import os
import sys
import urllib.parse
import urllib.request

URL, REPOSITORY, *REFS = sys.argv[1:]
KEYS = [os.environ[f"LAKECTL_CREDENTIALS_{part}"] for part in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")]
BASIC = "Basic " + base64.b64encode(":".join(KEYS).encode()).decode()


def pages(path, **query):
    """All results of a list."""
    after = ""
    while True:
        text = urllib.parse.urlencode({"amount": 1000, "after": after, **query})
        url = f"{URL}/repositories/{REPOSITORY}/{path}?{text}"
        request = urllib.request.Request(url, headers={"Authorization": BASIC})
        with urllib.request.urlopen(request) as response:
            page = json.load(response)
        yield from page["results"]
        if not page["pagination"]["has_more"]:
            return
        after = page["pagination"]["next_offset"]


def show(kind, ref, results):
    """Prints a line for each, in order: of a log lakeFS goes by dates, Braid by generations first."""
    for found in results:
        if not found.get("metadata"):
            found.pop("metadata", None)  # None is said in two ways.
        lines.append(f"{kind} {ref} {json.dumps(found, sort_keys=True, ensure_ascii=False)}")


lines = []
branches, tags = list(pages("branches", show_hidden="true")), list(pages("tags"))
show("branch", "", branches)
show("tag", "", tags)
for ref in [ref["id"] for ref in branches + tags] + REFS:
    quoted = urllib.parse.quote(ref, safe="")
    show("commit", ref, pages(f"refs/{quoted}/commits"))
    show("object", ref, pages(f"refs/{quoted}/objects/ls", user_metadata="true", presign="false"))
    show("change", ref, pages(f"refs/main/diff/{quoted}", type="two_dot"))
print("\n".join(sorted(lines)))
