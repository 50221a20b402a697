"""Strings that attackers put where a path is expected, for every entry that takes one.

``HOSTILE`` must be refused. ``HARMLESS_LOOKING`` are odd names of files. Nothing outside the root may be read, written
or removed with any of them.
"""

from __future__ import annotations

from urllib.parse import quote

_CLIMBS = (
    "..",
    "../",
    "../secret",
    "../../secret",
    "../../../../../../../../etc/passwd",
    "a/..",
    "a/../..",
    "a/../../secret",
    "a/b/../../../secret",
    "./../secret",
    ".//..//secret",
    "a/./../../secret",
    "..\\",
    "..\\secret",
    "..\\..\\secret",
    "a\\..\\..\\secret",
    "a\\../secret",
    "a/..\\secret",
    "../\\secret",
    "..//secret",
    "..///secret",
    "a//..//..//secret",
)
_ABSOLUTE = (
    "/",
    "//",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "//proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/../etc/passwd",
    "/./etc/passwd",
    "\\etc\\passwd",
    "\\\\host\\share\\secret",
    "//host/share/secret",
    "\\\\?\\C:\\secret",
    "\\\\.\\C:\\secret",
)
_ADDRESSES = (
    "C:",
    "C:/secret",
    "C:\\secret",
    "c:secret",
    "a:b",
    "Z:/",
    "a/C:/secret",
    "a/c:secret",
    "a/file:/secret",
    "file:/etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "file://host/share/secret",
    "FILE:///etc/passwd",
    "http://127.0.0.1/secret",
    "https://evil.example/secret",
    "ftp://evil.example/secret",
    "s3://bucket/secret",
    "dbfs:/secret",
    "mlflow-artifacts:/secret",
    "mlflow-artifacts://evil.example/secret",
    "runs:/0/secret",
    "models:/m/1",
)
_FRAGMENTS = ("#", "#/../secret", "a#b", "a#/../../secret", "?#/../secret", "a/#", "%23", "a%23b", "a%2523b", "\uff03")
_CONTROLS = (
    "\x00",
    "a\x00",
    "a\x00/../secret",
    "secret\x00.txt",
    "%00",
    "a%00b",
    "a%2500b",
    "a\nb",
    "a\r\nSet-Cookie: x",
    "a%0d%0ab",
    "a\tb",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
)
_DOTS = (".", "./", "./a", "a/.", "a/./b", "...", "....//secret", "a/.../b", ". .", ".. ", "a/.. /secret", "a/ /b", " ")
_LOOK_ALIKES = (
    "\uff0e\uff0e/secret",
    "\uff0e\uff0e\uff0fsecret",
    "..\uff0fsecret",
    "\u2024\u2024/secret",
    "\u2025/secret",
    "\ufe52\ufe52/secret",
    "a/\uff0e\uff0e/\uff0e\uff0e/secret",
    "\uff0fetc/passwd",
    "\uff3c\uff3chost\uff3cshare",
    "..\ufe68secret",
)
_RESERVED = (
    ".stele",
    ".stele/",
    ".stele/x",
    "a/.stele",
    "a/.stele/b.json",
    ".STELE/x",
    ".Stele",
    ".stele./x",
    ".stele /x",
    "%2estele/x",
    ".stel%65",
    "a\\.stele\\x",
)
_TOO_LONG = ("x" * 256, "a/" + "\u00e9" * 128, "a/" * 1100)
_MIXED = (
    "..%2fsecret",
    "..%2Fsecret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "%2E%2E%2Fsecret",
    ".%2e/secret",
    "%2e./secret",
    "..%5csecret",
    "%2e%2e%5csecret",
    "..%252fsecret",
    "%252e%252e%252fsecret",
    "%25252e%25252e%25252fsecret",
    "%2525252e%2525252e/secret",
    "a/%2e%2e/%2e%2e/secret",
    "%2fetc%2fpasswd",
    "%5c%5chost%5cshare",
    "%43%3a/secret",
    "C%3A/secret",
    "file%3A///etc/passwd",
    "a%2f..%2f..%2fsecret",
    "a/..%00/secret",
    "%" + "25" * 20 + "2e",
    "%ef%bc%8e%ef%bc%8e/secret",
)


def _encoded(payload: str, times: int) -> str:
    for _ in range(times):
        payload = quote(payload, safe="")
    return payload


HOSTILE: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *_CLIMBS,
            *_ABSOLUTE,
            *_ADDRESSES,
            *_FRAGMENTS,
            *_CONTROLS,
            *_DOTS,
            *_LOOK_ALIKES,
            *_RESERVED,
            *_TOO_LONG,
            *_MIXED,
            *(_encoded(payload, times) for payload in (*_CLIMBS[:12], *_ABSOLUTE[:6]) for times in (1, 2, 3)),
        )
    )
)

HARMLESS_LOOKING: tuple[str, ...] = (
    "~",
    "~/secret",
    "~root/.ssh/id_rsa",
    "$HOME/secret",
    "${HOME}/secret",
    "%HOME%",
    "..;/secret",
    "a/..;/..;/secret",
    ";secret",
    "?/secret",
    "a?/a",
    "*",
    "a|b",
    "`id`",
    "$(id)",
    "%c0%ae%c0%ae/secret",
    "%c0%af",
    "..%c0%afsecret",
    "%u002e%u002e/secret",
    "%uff0e%uff0e/secret",
    "&46;&46;",
    "CON",
    "NUL",
    "aux.txt",
    "ab:c",
    "name.txt::$DATA",
    "a\\b",
    "a\u202etxt.exe",
    "-rf",
    "--help",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}",
)

PAYLOADS: tuple[str, ...] = HOSTILE + HARMLESS_LOOKING
