"""Turns measurements into a Markdown table: medians, spread, and how ours compares with each peer."""

from measure import METRICS, OURS


def number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def cell(entry: dict | None, ours: dict | None, larger_is_better: bool, is_ours: bool) -> str:
    if entry is None:
        return "-"
    text = f"{number(entry['median'])} ±{50 * entry['spread']:.0f}%"
    if ours is None or is_ours or not entry["median"] or not ours["median"]:
        return text
    ratio = ours["median"] / entry["median"]
    return f"{text} ({ratio if larger_is_better else 1 / ratio:.2f}x)"


def table(results: dict[str, dict]) -> str:
    """`results` by engine, as Samples.summary makes them."""
    metrics = [key for key in METRICS if any(key in result for result in results.values())]
    headings = [f"{METRICS[key][0]} ({METRICS[key][1]})" for key in metrics]
    lines = ["| engine | " + " | ".join(headings) + " |", "|---|" + "---:|" * len(metrics)]
    for name, result in results.items():
        if "error" in result:
            lines.append(f"| {name} | {result['error']} |" + " |" * (len(metrics) - 1))
            continue
        ours = results.get(OURS, {})
        cells = [cell(result.get(key), ours.get(key), METRICS[key][2], name == OURS) for key in metrics]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(document: dict) -> str:
    machine, plan = document["machine"], document["plan"]
    busy = machine["load_average"] > 0.5
    lines = [
        f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {', '.join(machine['features'])}, "
        f"{machine['memory_gb']} GB; {plan['threads']} threads, median of {plan['rounds']} rounds. "
        "In brackets: how many times better ours is (above 1: ours wins). ± is half the spread between rounds.",
    ]
    if busy:
        lines.append(f"\n**Noisy**: the machine was busy (load average {machine['load_average']:.1f} at the start).")
    for model, results in document["models"].items():
        lines += ["", f"### {model}", "", table(results)]
    return "\n".join(lines) + "\n"


def kl_markdown(document: dict) -> str:
    lines = [
        f"{document['machine']['date']}, {document['windows']} windows of {document['window']} tokens of "
        f"{document['text']}. KL(reference || engine), mean nats per row. Peers: against transformers in float32 on "
        "the decoded weights; ours: against our own reference path, as `ingle eval` says.",
        "",
        "| model | engine | KL | top-1 | worst row |",
        "|---|---|---:|---:|---:|",
    ]
    for model, results in document["models"].items():
        for name, result in results.items():
            if "error" in result:
                lines.append(f"| {model} | {name} | {result['error']} | | |")
                continue
            top = f"{100 * result['top1']:.1f} %" if "top1" in result else "-"
            worst = f"{result['largest']:.3f}" if "largest" in result else "-"
            lines.append(f"| {model} | {name} | {result.get('kl', float('nan')):.5f} | {top} | {worst} |")
    return "\n".join(lines) + "\n"
