"""Extents known at run time, from hand-written units to the running program:
inputs below their bound, loops and sums as far as they reach, outputs cut."""

import numpy as np
import pytest

from harness import relative_error

MODULE = 'module attributes {analog.chip = "ideal", analog.units = [{kind = "unit", index = 0 : i32}]} {\n%s\n}\n'

# Self-attention of two heads over a sequence of up to 24, a mean behind it.
ATTENTION = """
func.func @unit_0_main(%arg0: tensor<1x24x8xf32> {mho.name = "x"}) -> (tensor<1x24x8xf32> {mho.name = "y"}, tensor<1x8xf32> {mho.name = "m"}) attributes {analog.unit = 0 : i32} {
  %n = graph.extent of 0 dim 1 at_most 24
  %x = tensor.extract_slice %arg0[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x24x8xf32> to tensor<1x?x8xf32>
  %h = graph.reshape %x : (tensor<1x?x8xf32>) -> tensor<1x?x2x4xf32>
  %q = graph.transpose %h [0, 2, 1, 3] : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k = graph.transpose %h [0, 2, 3, 1] : (tensor<1x?x2x4xf32>) -> tensor<1x2x4x?xf32>
  %s = graph.matmul %q, %k : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %p = graph.softmax %s {axes = array<i64: 3>} : tensor<1x2x?x?xf32>
  %v = graph.matmul %p, %q : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %t = graph.transpose %v [0, 2, 1, 3] : (tensor<1x2x?x4xf32>) -> tensor<1x?x2x4xf32>
  %o = graph.reshape %t : (tensor<1x?x2x4xf32>) -> tensor<1x?x8xf32>
  %m = graph.reduce_mean %o {axes = array<i64: 1>} : (tensor<1x?x8xf32>) -> tensor<1x8xf32>
  %e = tensor.empty() : tensor<1x24x8xf32>
  %y = tensor.insert_slice %o into %e[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x?x8xf32> into tensor<1x24x8xf32>
  graph.set_extent %n of 0 dim 1
  return %y, %m : tensor<1x24x8xf32>, tensor<1x8xf32>
}
"""

# What was kept and what is new, joined along a bounded axis.
CACHE = """
func.func @unit_0_main(%past: tensor<16x3xf32> {mho.name = "past"}, %new: tensor<2x3xf32> {mho.name = "new"}, %other: tensor<16xf32> {mho.name = "weights"}) -> (tensor<18x3xf32> {mho.name = "present"}, tensor<3xf32> {mho.name = "sum"}) attributes {analog.unit = 0 : i32} {
  %n = graph.extent of 0 dim 0 at_most 16
  %n2 = graph.extent of 2 dim 0 at_most 16
  %p = tensor.extract_slice %past[0, 0] [%n, 3] [1, 1] : tensor<16x3xf32> to tensor<?x3xf32>
  %w = tensor.extract_slice %other[0] [%n2] [1] : tensor<16xf32> to tensor<?xf32>
  %c = graph.concat %p, %new axis 0 : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %two = arith.constant 2 : index
  %m = arith.addi %n, %two : index
  %e = tensor.empty() : tensor<18x3xf32>
  %y = tensor.insert_slice %c into %e[0, 0] [%m, 3] [1, 1] : tensor<?x3xf32> into tensor<18x3xf32>
  %s = graph.matmul %w, %p : (tensor<?xf32>, tensor<?x3xf32>) -> tensor<3xf32>
  graph.set_extent %m of 0 dim 0
  return %y, %s : tensor<18x3xf32>, tensor<3xf32>
}
"""


def build(tools, function):
    (tools.folder / "unit.mlir").write_text(MODULE % function)
    tools.succeed("mho-opt", "unit.mlir", "-unit-pipeline", "-o", "tile.mlir")
    tools.succeed("mho-translate", "--tile-to-mho", "tile.mlir", "-o", "program.mho")
    return tools.folder / "program.mho"


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def attention(x):
    q = x.reshape(*x.shape[:2], 2, 4).transpose(0, 2, 1, 3)
    s = q @ q.transpose(0, 1, 3, 2)
    p = np.exp(s - s.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return (p @ q).transpose(0, 2, 1, 3).reshape(x.shape)


def test_attention_at_every_length(tools):
    program = build(tools, ATTENTION)
    for n in (1, 2, 7, 17, 24):
        x = random(1, n, 8, seed=n)
        got = tools.execute(program, {"x": x}, "--ideal")
        wanted = attention(x)
        assert relative_error(got["y"], wanted) <= 1e-5
        assert relative_error(got["m"], wanted.mean(1)) <= 1e-5


def test_runs_of_one_length(tools):
    program = build(tools, ATTENTION)
    x = random(5, 9, 8)
    got = tools.execute(program, {"x": x}, "--ideal")
    assert relative_error(got["y"], attention(x)) <= 1e-5


def test_nothing_is_left_of_a_longer_run(tools):
    """An extent of zero is legal, and gives empty outputs."""
    program = build(tools, CACHE)
    for n in (0, 1, 16):
        feeds = {"past": random(n, 3), "new": random(2, 3, seed=1), "weights": random(n, seed=2)}
        got = tools.execute(program, feeds, "--ideal")
        assert np.array_equal(got["present"], np.concatenate([feeds["past"], feeds["new"]]))
        assert relative_error(got["sum"], feeds["weights"] @ feeds["past"]) <= 1e-5


def test_too_long(tools):
    program = build(tools, ATTENTION)
    np.savez(tools.folder / "in.npz", x=random(1, 25, 8))
    message = tools.refuse("mho-run", program, "--input", "in.npz", "--output", "out.npz", "--ideal")
    assert "array 'x' is f32" in message and "the program takes 'x' f32 [1,0..24,8]" in message


@pytest.mark.parametrize("unbounded", [True, False])
def test_extent_without_bound(tools, unbounded):
    """A tensor whose extent nothing bounds names its node and what to do."""
    size = "%i" if unbounded else "%b"
    text = """
func.func @unit_0_main(%x: tensor<4xf32>, %n: tensor<i64>) -> tensor<8xf32> attributes {analog.unit = 0 : i32} {
  %c8 = arith.constant 8 : index
  %s = tensor.extract %n[] : tensor<i64>
  %i = arith.index_cast %s : i64 to index
  %b = arith.minui %i, %c8 : index
  %e = tensor.empty(SIZE) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%e : tensor<?xf32>) {
  ^bb0(%o: f32):
    %one = arith.constant 1.0 : f32
    linalg.yield %one : f32
  } -> tensor<?xf32>
  %w = tensor.empty() : tensor<8xf32>
  %r = tensor.insert_slice %y into %w[0] [SIZE] [1] : tensor<?xf32> into tensor<8xf32>
  return %r : tensor<8xf32>
}
""".replace("SIZE", size)
    if not unbounded:
        build(tools, text)
        return
    (tools.folder / "unit.mlir").write_text(MODULE % text)
    message = tools.refuse("mho-opt", "unit.mlir", "-unit-pipeline")
    assert (
        "dimension 0 of 'tensor<?xf32>' has no bound: give the input that it follows from one (--shape=NAME=1..N)"
        in message
    )
