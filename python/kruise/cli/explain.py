"""``kruise explain``: the plan of a controller, for people."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kruise import _core
from kruise.client import Client
from kruise.errors import KruiseError, NotFound
from kruise.manager import Manager, Plan

_FILE_WIDTH = 240
_STYLES = {"held": "yellow", "acting": "cyan", "done": "green", "invalid": "red"}


def explain(
    target: str, *, namespace: str | None, kubeconfig: Path | None, context: str | None, timeout: float, output: str
) -> int:
    """Prints the plan for ``kind/name``. Returns the exit status: 1 when there is no such object."""
    kind, slash, name = target.partition("/")
    if not slash or not kind or not name:
        raise KruiseError(f'"{target}": expected KIND/NAME, as in cloneset/web')
    if output not in ("table", "json"):
        raise KruiseError(f'--output {output}: expected "table" or "json"')
    _core.controller_of(kind)
    client = Client(kubeconfig=kubeconfig, context=context, namespace=namespace)
    namespace = client.namespace
    _require(client, kind, name)
    with Manager(kubeconfig=kubeconfig, context=context, observe_only=True) as manager:
        try:
            manager.wait_ready(timeout=timeout)
        except TimeoutError as error:
            raise KruiseError(str(error)) from None
        plan = manager.plan(kind, name, namespace=namespace)
    if plan is None:
        raise _not_found(client, kind, name)
    if output == "json":
        print(json.dumps(asdict(plan), indent=2))
    else:
        # Without a terminal there is nobody to wrap lines for.
        console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
        _show(console, f"{kind} {namespace}/{name}", plan)
    return 0


def _require(client: Client, kind: str, name: str) -> None:
    """Says at once what the caches would wait for: a server that is not there, lets nobody in, or has no such object."""
    try:
        client.get(kind, name)
    except NotFound as error:
        if f'"{name}"' in error.message:
            raise _not_found(client, kind, name) from error
        raise KruiseError(f"the server does not have the kind of {kind}/{name}: install the CRDs of the chart") from error


def _not_found(client: Client, kind: str, name: str) -> KruiseError:
    return KruiseError(f'{kind} "{name}" not found in namespace "{client.namespace}"')


def _show(console: Console, title: str, plan: Plan) -> None:
    held = plan.held()
    console.print(f"[bold]{title}[/bold]: {len(plan.writes)} writes due, {len(held)} held")
    if plan.error is not None:
        console.print(Text("error ", "red") + Text(plan.error))
    if plan.reasons:
        table = Table(box=None, pad_edge=False)
        for column in ("", "pod", "rule", "why"):
            table.add_column(column, overflow="fold")
        for reason in plan.reasons:
            style = _STYLES.get(reason.verdict, "")
            text = reason.text.removeprefix(f"{reason.verdict}: ")
            table.add_row(Text(reason.verdict, style), reason.object or "(the set)", reason.rule, Text(text))
        console.print(table)
    for write in plan.writes:
        console.print(f"next: {write.verb} {write.resource}/{write.name}: {write.purpose}", markup=False)
    if plan.requeue_after is not None:
        console.print(f"looks again in {plan.requeue_after:g} s")
