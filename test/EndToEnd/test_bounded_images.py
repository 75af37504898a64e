"""Resizing, transposed convolution and borders along axes whose extent only the run knows, against ONNX Runtime."""

import numpy as np
import onnx
import pytest

from graphs import Bounded
from harness import BoundedCases, reference, relative_error

MOST = 19
CASES = BoundedCases()
case = CASES.case


def line(g, channels=2):
    return g.open("n", channels, 3, "w")


def image(g, channels=2):
    return g.open("n", channels, "h", "w")


def f32(g, *values):
    return g.weight(values=np.array(values, np.float32))


def resized(g, x, scales, **attributes):
    return g("Resize", x, "", f32(g, *scales), **attributes)


def extent(g, x, axis):
    return g("Shape", x, start=axis, end=axis + 1)


@case(1)
def regions(g):
    """As many regions as a run brings, of images that it picks for each."""
    images, numbers = g.weight(2, 3, 9, 8), g.open("w", 4)
    first, last = g("Split", g("Abs", numbers), axis=1, num_outputs=2, outputs=2)
    corners = g("Concat", first, g("Add", first, g("Mul", last, f32(g, 3.0))), axis=1)
    chosen = g("Cast", g("Greater", g("ReduceSum", numbers, g.int64(1), keepdims=0), f32(g, 0.0)), to=7)
    bins = dict(output_height=3, output_width=2, sampling_ratio=2)
    return (
        g("RoiAlign", images, corners, chosen, **bins),
        g("RoiAlign", images, corners, chosen, mode="max", spatial_scale=0.7, **bins),
        g("Relu", g("RoiAlign", images, corners, chosen, coordinate_transformation_mode="output_half_pixel", **bins)),
    )


@case(1)
def chosen_regions(g):
    """Those of two levels are found, pooled from an image each and put together again, as detectors do."""
    numbers = g.open("w", 4)
    first, last = g("Split", g("Abs", numbers), axis=1, num_outputs=2, outputs=2)
    corners = g("Concat", first, g("Add", first, last), axis=1)
    is_large = g("Greater", g("ReduceSum", numbers, g.int64(1), keepdims=0), f32(g, 0.3))
    count = g("Shape", numbers, end=1)
    together = g("ConstantOfShape", g("Concat", count, g.int64(2, 3, 3), axis=0))
    for level, size in ((is_large, 7), (g("Not", is_large), 11)):
        places = g("Squeeze", g("NonZero", level), g.int64(0))
        own = g("Gather", corners, places)
        none = g("ConstantOfShape", g("Shape", places), value=onnx.numpy_helper.from_array(np.zeros(1, np.int64)))
        pooled = g("RoiAlign", g.weight(1, 2, size, size), own, none, output_height=3, output_width=3, sampling_ratio=2)
        where = g("Expand", g("Reshape", places, g.int64(-1, 1, 1, 1)), g("Shape", pooled))
        together = g("ScatterElements", together, where, pooled)
    return g("Flatten", together)


@case(1)
def nearest(g):
    x = image(g)
    return (
        resized(g, x, [1, 1, 2, 3], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        resized(g, x, [1, 1, 2, 2], mode="nearest"),
        resized(g, x, [1, 1, 1.5, 2.6], mode="nearest", nearest_mode="round_prefer_ceil"),
        resized(g, x, [1, 1, 1, 2.5], mode="nearest", nearest_mode="ceil"),
        resized(g, x, [1, 1, 1, 2], mode="nearest", coordinate_transformation_mode="align_corners"),
    )


@case(4)
def nearest_smaller(g):
    x = image(g)
    return (
        resized(g, x, [1, 1, 0.5, 0.5], mode="nearest", nearest_mode="floor"),
        resized(g, x, [1, 1, 0.4, 0.7], mode="nearest", coordinate_transformation_mode="asymmetric"),
    )


@case(2)
def linear(g):
    x = image(g)
    return tuple(
        resized(g, x, [1, 1, 2, scale], mode="linear", coordinate_transformation_mode=kind)
        for kind, scale in [
            ("half_pixel", 1.7),
            ("asymmetric", 1.7),
            ("align_corners", 3),  # with others ONNX's text and ONNX Runtime differ
            ("pytorch_half_pixel", 1.7),
            ("half_pixel_symmetric", 2),
        ]
    )


@case(4)
def linear_smaller(g):
    x = line(g)
    return (
        resized(g, x, [1, 1, 1, 0.5], mode="linear"),
        resized(g, x, [1, 1, 1, 0.3], mode="linear", antialias=1),
        resized(g, x, [1, 1, 1, 0.6], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    )


@case(2)
def cubic(g):
    x = line(g)
    return (
        resized(g, x, [1, 1, 1, 2], mode="cubic"),
        resized(g, x, [1, 1, 2, 1.5], mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1),
        resized(g, x, [1, 1, 1, 2], mode="cubic", coordinate_transformation_mode="align_corners"),
    )


@case(2)
def to_the_size_of_another(g):
    x, y = image(g), g.open("n", 2, "m", 5)
    sizes = g("Concat", g("Shape", x, end=2), extent(g, y, 2), extent(g, x, 2), axis=0)
    return (
        g("Resize", x, "", "", sizes, mode="linear"),
        g(
            "Resize",
            x,
            "",
            "",
            sizes,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        g("Resize", y, "", "", g("Shape", x), mode="linear", coordinate_transformation_mode="align_corners"),
    )


@case(2)
def twice_the_size(g):
    x = line(g)
    sizes = g("Mul", g("Shape", x), g.int64(1, 1, 1, 2))
    return g("Resize", x, "", "", sizes, mode="linear"), g("Add", x, g("Slice", x, g.int64(0), g.int64(1), g.int64(2)))


@case(2)
def cropped(g):
    x = line(g)
    roi = f32(g, 0, 0, 0, 0.2, 1, 1, 1, 1.3)
    return g(
        "Resize",
        x,
        roi,
        f32(g, 1, 1, 1, 2),
        mode="linear",
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=0.25,
    )


@case(1)
def whole_numbers(g):
    x = g.open("n", 1, 2, "w", kind=np.uint8, high=200)
    return resized(g, x, [1, 1, 1, 2], mode="nearest"), resized(g, x, [1, 1, 1, 2], mode="nearest", nearest_mode="ceil")


@case(1)
def transposed_convolution(g):
    x = g.open("n", 3, "w")
    return (
        g("ConvTranspose", x, g.weight(3, 4, 4), g.weight(4), strides=[2], pads=[1, 1]),
        g("ConvTranspose", x, g.weight(3, 4, 3), strides=[2], output_padding=[1]),
        g("ConvTranspose", x, g.weight(3, 2, 3), strides=[3], dilations=[2], pads=[1, 0], output_padding=[2]),
        g("ConvTranspose", x, g.weight(3, 2, 2), strides=[4]),
    )


@case(1)
def transposed_convolution_of_images(g):
    x = image(g, 4)
    return (
        g("ConvTranspose", x, g.weight(4, 3, 3, 3), g.weight(3), strides=[2, 1], pads=[1, 1, 1, 1]),
        g("ConvTranspose", x, g.weight(4, 2, 2, 2), strides=[2, 2], group=2),
        g("ConvTranspose", x, g.weight(4, 1, 4, 3), strides=[2, 3], group=4, auto_pad="SAME_UPPER"),
    )


@case(4)
def borders_of_the_run(g):
    """As much as a fixed width, or a multiple of some, lacks."""
    x = line(g)
    w = extent(g, x, 3)
    none = g.int64(0, 0, 0)
    lacking = g("Sub", g.int64(MOST + 5), w)
    rest = g("Mod", g("Neg", w), g.int64(8))
    fixed = g("Pad", x, g("Concat", none, g.int64(0), none, lacking, axis=0), f32(g, 0.5))
    multiple = g("Pad", x, g("Concat", none, rest, none, g.int64(1), axis=0))
    half = g("Div", w, g.int64(2))
    return (
        g("Conv", fixed, g.weight(3, 2, 3, 3), pads=[1, 1, 1, 1]),
        g("Relu", multiple),
        g("Pad", x, g("Concat", none, half, none, half, axis=0), mode="reflect"),
        g("Pad", x, g("Concat", none, half, none, half, axis=0), mode="edge"),
    )


@case(4)
def up_and_down(g):
    """Down twice by convolutions, up again by repeating and by a transposed convolution, joined with what was there."""
    x = image(g)
    a = g("Relu", g("Conv", x, g.weight(4, 2, 3, 3), g.weight(4), pads=[1] * 4))
    y = g("Relu", g("Conv", a, g.weight(6, 4, 3, 3), pads=[1] * 4, strides=[2, 2]))
    y = g("Resize", y, "", "", g("Concat", g("Shape", y, end=2), g("Shape", a, start=2), axis=0), mode="linear")
    y = g("Concat", a, y, axis=1)
    return g("Conv", y, g.weight(2, 10, 1, 1)), g("ConvTranspose", y, g.weight(10, 2, 2, 2), strides=[2, 2])


def bounds_of(graph, low):
    symbols = sorted({e for extents, _, _ in graph.declared.values() for e in extents if isinstance(e, str)})
    limits = {"n": "1..2", "w": f"{low}..{MOST}", "h": f"{low}..{low + 4}", "m": f"{low}..9"}
    return [f"--shape={symbol}={limits[symbol]}" for symbol in symbols]


@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name, (_, _, targets) in CASES.items() for target in targets]
)
def test_images(tools, name, target):
    function, low, _ = CASES[name]
    graph = Bounded(seed=len(name))
    outputs = function(graph)
    model = graph.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    program = tools.compile(model, *bounds_of(graph, low), target=target)
    for n, w, h, m in [(2, MOST, low + 4, 9), (1, low, low, low), (2, low + 1, low + 3, 5), (1, 12, low + 2, 7)]:
        feeds = graph.feed(n=n, w=w, h=h, m=m)
        wanted = reference(model, feeds)
        got = tools.execute(program, feeds, "--ideal")
        for output, value in wanted.items():
            assert got[output].dtype == value.dtype
            assert relative_error(got[output], value) <= 2e-5, f"{output} at n={n}, w={w}, h={h}, m={m}"


@pytest.mark.parametrize("target", ["ideal", "hermes"])
def test_upsample(tools, target):
    graph = Bounded(opset=9)
    x = line(graph)
    model = graph.model(
        graph("Upsample", x, f32(graph, 1, 1, 2, 2), mode="nearest"),
        graph("Upsample", x, f32(graph, 1, 1, 1, 3), mode="linear"),
    )
    program = tools.compile(model, "--shape=n=1..2", f"--shape=w=1..{MOST}", target=target)
    for w in (MOST, 1, 6):
        feeds = graph.feed(n=2, w=w)
        got = tools.execute(program, feeds, "--ideal")
        for name, value in reference(model, feeds).items():
            assert relative_error(got[name], value) <= 2e-5, f"{name} at w={w}"


def test_what_is_refused_says_what_to_do(tools):
    def refused(build, *options):
        graph = Bounded()
        onnx.save(graph.model(build(graph), check=False), tools.folder / "m.onnx")
        return tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho", "--target=ideal", *options)

    message = refused(
        lambda g: g("ConvTranspose", g.open(1, 2, "w"), g.weight(2, 3, 3), name="up", output_shape=[12]),
        "--shape=w=1..9",
    )
    assert "up" in message and "output_shape" in message and "spatial axis 0" in message and "--shape" in message
    message = refused(
        lambda g: g(
            "Resize",
            x := g.open(1, 2, "w"),
            "",
            "",
            g("Concat", g.int64(1, 2), g("Add", extent(g, x, 2), g.int64(1)), axis=0),
            name="grow",
            mode="linear",
            antialias=1,
        ),
        "--shape=w=1..9",
    )
    assert "grow" in message and "antialias" in message and "w + 1" in message and "scales instead of sizes" in message


@pytest.mark.parametrize("target", ["ideal", "hermes"])
@pytest.mark.parametrize("join", ["Add", "Concat"])
def test_extents_that_have_to_meet_again(tools, join, target):
    """Halved and doubled, an even width is what it was; with an odd one the run ends, as ONNX Runtime's does."""
    graph = Bounded()
    x = graph.open(1, 2, 3, "w")
    y = graph("MaxPool", x, kernel_shape=[1, 2], strides=[1, 2])
    y = resized(
        graph, y, [1, 1, 1, 2], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )
    z = graph("Concat", x, y, axis=1) if join == "Concat" else graph("Add", x, y)
    model = graph.model(
        graph("Conv", z, graph.weight(3, 4 if join == "Concat" else 2, 3, 3), pads=[1] * 4, name="head")
    )
    program = tools.compile(model, f"--shape=w=2..{MOST}", target=target)
    for w in (18, 2, 8):
        feeds = graph.feed(w=w)
        got = tools.execute(program, feeds, "--ideal")
        for name, value in reference(model, feeds).items():
            assert relative_error(got[name], value) <= 2e-5, f"{name} at w={w}"
    np.savez(tools.folder / "in.npz", **graph.feed(w=7))
    message = tools.refuse("mho-run", program, "--input", tools.folder / "in.npz", "--output", "o.npz")
    assert f"{join}_2" in message


def test_extents_that_may_be_one(tools):
    graph = Bounded()
    x = graph.open(1, 2, "w")
    y = graph("MaxPool", x, kernel_shape=[2], strides=[2])
    onnx.save(graph.model(graph("Add", x, y, name="both"), check=False), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho", "--target=ideal", "--shape=w=2..9")
    assert "both" in message and "one of them is 1" in message and "lower limit" in message


def test_regions_take_images_of_constant_extents(tools):
    graph = Bounded()
    x, rois = graph.open(1, 2, "h", 7), graph.open(3, 4)
    y = graph("RoiAlign", x, rois, graph.int64(0, 0, 0), sampling_ratio=2, name="pooled")
    onnx.save(graph.model(y, check=False), tools.folder / "m.onnx")
    message = tools.refuse("mhoc", tools.folder / "m.onnx", "-o", "m.mho", "--target=ideal", "--shape=h=4..9")
    assert "pooled" in message and "extent h" in message and "--shape" in message
