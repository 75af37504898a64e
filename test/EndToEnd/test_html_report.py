"""The report as a page, and where it says matrices lie."""

import json
from html.parser import HTMLParser

import numpy as np

from graphs import Graph

VOID = {"meta", "br", "img", "link", "hr"}


class Page(HTMLParser):
    """Text of a page whose elements are closed in order and which asks for nothing from elsewhere."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.words, self.kinds = [], [], set()
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.kinds.add(tag)
        for name, value in attributes:
            assert name not in ("src", "href") and "url(" not in (value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def model_of(name: str):
    graph = Graph(seed=1)
    y = graph("MatMul", graph.input(4, 300), graph.weight(300, 40), name=name)
    return graph, graph.model(graph("Softmax", y, name="shares"))


def reports(tools, name: str):
    graph, model = model_of(name)
    program = tools.compile(model, target="hermes")
    feeds = {key: np.concatenate([value] * 2) for key, value in graph.feeds.items()}
    np.savez(tools.folder / "in.npz", labels=np.zeros(8, np.int64), **feeds)
    files = tools.folder / "r.json", tools.folder / "r.html"
    argv = ["mho-run", program, "--input", tools.folder / "in.npz", "--instances=3", "--metric=accuracy:labels"]
    tools.succeed(*argv, *(f"--report={file}" for file in files))
    return json.loads(files[0].read_text()), files[1].read_text()


def test_page_shows_what_the_report_holds(tools):
    report, text = reports(tools, "dense")
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>") and {"html", "head", "body", "table"} <= page.kinds
    for layer in report["layers"]:
        assert layer["node"] in page.text and layer["op"] in page.text
    for number in report["provenance"]:
        assert number["key"] in page.text
    for note in report["notes"]:
        assert note in page.text
    assert "accuracy" in page.text and "rests on estimates" in page.text
    assert "script" not in page.kinds


def test_names_are_text(tools):
    name = '<script>alert("1")</script> & more'
    report, text = reports(tools, name)
    page = Page(text)
    assert name in [layer["node"] for layer in report["layers"]]
    assert name in page.text and "script" not in page.kinds


def test_compiler_writes_a_page(tools):
    _, model = model_of("dense")
    tools.compile(model, f"--report={tools.folder / 'c.html'}", target="hermes")
    page = Page((tools.folder / "c.html").read_text())
    assert "dense" in page.text


def test_mapping_covers_the_matrix(tools):
    report, _ = reports(tools, "dense")
    covered = np.zeros((300, 40), int)
    for array in report["mapping"]:
        assert array["node"] == "dense" and array["size"] == [256, 256]
        covered[slice(*array["rows"]), slice(*array["columns"])] += 1
    assert (covered == 1).all()
    assert len(report["mapping"]) == report["arrays"]["used"]
    places = {(array["unit"], array["array"], array["tier"]) for array in report["mapping"]}
    assert len(places) == len(report["mapping"])
