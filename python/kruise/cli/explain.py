"""``kruise explain``: the plan of a controller, for people."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kruise.errors import KruiseError
from kruise.manager import Manager, Plan

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
    with Manager(kubeconfig=kubeconfig, context=context, observe_only=True) as manager:
        try:
            manager.wait_ready(timeout=timeout)
        except TimeoutError as error:
            raise KruiseError(str(error)) from None
        namespace = namespace or manager.namespace
        plan = manager.plan(kind, name, namespace=namespace)
    if plan is None:
        raise KruiseError(f'{kind} "{name}" not found in namespace "{namespace}"')
    if output == "json":
        print(json.dumps(asdict(plan), indent=2))
    else:
        _show(Console(highlight=False), f"{kind} {namespace}/{name}", plan)
    return 0


def _show(console: Console, title: str, plan: Plan) -> None:
    held = plan.held()
    console.print(f"[bold]{title}[/bold]: {len(plan.writes)} writes due, {len(held)} held")
    if plan.error is not None:
        console.print(f"[red]error[/red] {plan.error}")
    if plan.reasons:
        table = Table(box=None, pad_edge=False)
        for column in ("", "pod", "rule", "why"):
            table.add_column(column, overflow="fold")
        for reason in plan.reasons:
            style = _STYLES.get(reason.verdict, "")
            table.add_row(f"[{style}]{reason.verdict}[/{style}]", reason.object or "(the set)", reason.rule, reason.text)
        console.print(table)
    for write in plan.writes:
        console.print(f"next: {write.verb} {write.resource}/{write.name}: {write.purpose}")
    if plan.requeue_after is not None:
        console.print(f"looks again in {plan.requeue_after:g} s")
