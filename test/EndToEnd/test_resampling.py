"""Operators that look at images between their elements, at odd shapes and in
all modes, against ONNX Runtime (where it is right) or ONNX's reference."""

import numpy as np
import onnx.reference
import pytest

from graphs import Graph
from harness import check, reference


def check_with_reference(tools, g, y, **options):
    """ONNX's own evaluator as the oracle: ONNX Runtime differs or refuses."""
    session = onnx.reference.ReferenceEvaluator(g.model(y))
    check(tools, g, y, wanted={y: session.run(None, g.feeds)[0]}, **options)


COORDINATES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]
SCALES = [(2.0, 3.0), (0.6, 1.7), (1.0, 0.5), (2.5, 0.4)]


def resize(g: Graph, x: str, scales, **attributes) -> str:
    return g("Resize", x, "", g.weight(values=np.float32([1, 1, *scales])), **attributes)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_resize_nearest(tools, coordinates, rounding):
    g = Graph(opset=19)
    x = g.input(1, 2, 5, 8)
    for scales in SCALES[:2]:
        method = dict(mode="nearest", coordinate_transformation_mode=coordinates, nearest_mode=rounding)
        check_with_reference(tools, g, resize(g, x, scales, **method))


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resize_interpolates(tools, mode, coordinates):
    g = Graph(opset=19)
    x = g.input(1, 2, 5, 8)
    for scales in SCALES:
        y = resize(g, x, scales, mode=mode, coordinate_transformation_mode=coordinates)
        check_with_reference(tools, g, y)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resize_outside_and_antialias(tools, mode):
    g = Graph(opset=18)
    x = g.input(1, 2, 9, 11)
    check_with_reference(tools, g, resize(g, x, (0.4, 0.55), mode=mode, antialias=1))
    check_with_reference(tools, g, resize(g, x, (0.2, 1.5), mode=mode, antialias=1))
    check_with_reference(tools, g, resize(g, x, (0.6, 1.5), mode=mode, exclude_outside=int(mode == "cubic")))
    check_with_reference(tools, g, resize(g, x, (1.3, 0.7), mode=mode, cubic_coeff_a=-0.5))


@pytest.mark.parametrize("policy", ["stretch", "not_larger", "not_smaller"])
def test_resize_to_sizes(tools, policy):
    g = Graph(opset=18)
    y = g(
        "Resize",
        g.input(1, 2, 5, 8),
        "",
        "",
        g.int64(7, 9),
        mode="linear",
        axes=[2, 3],
        keep_aspect_ratio_policy=policy,
    )
    check(tools, g, y)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_a_crop(tools, mode):
    g = Graph(opset=13)
    roi = g.weight(values=np.float32([0, 0, 0.2, -0.1, 1, 1, 0.7, 1.2]))
    y = g(
        "Resize",
        g.input(1, 2, 6, 7),
        roi,
        "",
        g.int64(1, 2, 5, 9),
        mode=mode,
        coordinate_transformation_mode="tf_crop_and_resize",
        extrapolation_value=7.0,
    )
    check_with_reference(tools, g, y)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.float16])
def test_resize_other_types(tools, dtype):
    g = Graph(opset=18)
    values = g.rng.integers(0, 100, (1, 2, 5, 4)).astype(dtype)
    x = g.input(values=values)
    check_with_reference(tools, g, resize(g, x, (2, 3), mode="nearest"))
    check_with_reference(tools, g, resize(g, x, (1.5, 0.5), mode="linear"), tolerance=1e-3)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("opset", [7, 9, 10])
def test_resize_of_old_opsets(tools, opset, mode):
    """Upsample, and Resize with scales alone."""
    g = Graph(opset=opset)
    x = g.input(1, 2, 5, 4)
    for scales in [(2.0, 3.0), (1.5, 1.25)] + ([(0.6, 0.5)] if opset == 10 else []):
        scales = [1.0, 1.0, *scales]
        if opset == 7:
            check(tools, g, g("Upsample", x, mode=mode, scales=scales))
        else:
            kind = "Upsample" if opset == 9 else "Resize"
            check(tools, g, g(kind, x, g.weight(values=np.float32(scales)), mode=mode))


def test_resize_in_a_network(tools):
    """An upsampling between convolutions, on both chips' layouts."""
    g = Graph(opset=13)
    x = g("Conv", g.input(1, 3, 6, 5), g.weight(8, 3, 3, 3), pads=[1] * 4)
    x = g("Resize", x, "", g.weight(values=np.float32([1, 1, 2, 2])), mode="nearest")
    y = g("Conv", x, g.weight(4, 8, 3, 3), pads=[1] * 4)
    check(tools, g, y, target="hermes")


# --- places computed when running -------------------------------------------


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_grid_sample(tools, mode, padding, corners):
    g = Graph(seed=3, opset=20)
    grid = g.input(values=np.float32(g.rng.uniform(-1.6, 1.6, (2, 3, 4, 2))))
    y = g("GridSample", g.input(2, 3, 5, 7), grid, mode=mode, padding_mode=padding, align_corners=corners)
    # ONNX's reference moves the point itself to the border, ONNX Runtime each of the pixels around it.
    (check if (mode, padding) == ("cubic", "border") else check_with_reference)(tools, g, y)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_grid_sample_of_volumes(tools, mode):
    g = Graph(opset=20)
    grid = g.input(values=np.float32(g.rng.uniform(-1.2, 1.2, (1, 2, 3, 2, 3))))
    check_with_reference(tools, g, g("GridSample", g.input(1, 2, 4, 3, 5), grid, mode=mode))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_grid_sample_of_old_names(tools, mode):
    g = Graph(opset=16)
    grid = g.input(values=np.float32(g.rng.uniform(-1.2, 1.2, (2, 3, 4, 2))))
    check(tools, g, g("GridSample", g.input(2, 3, 5, 7), grid, mode=mode))


def sample_of_integers(dtype, mode):
    g = Graph(seed=3, opset=22)
    image = g.input(values=g.rng.integers(0, 2 if dtype is bool else 200, (1, 2, 4, 5)).astype(dtype))
    grid = g.input(values=np.float32(g.rng.uniform(-1.2, 1.2, (1, 6, 3, 2))))
    return g, g("GridSample", image, grid, mode=mode)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool])
def test_grid_sample_of_integers(tools, dtype):
    check_with_reference(tools, *sample_of_integers(dtype, "nearest"))


def test_grid_sample_between_integers(tools):
    # ONNX's reference rounds the interpolation's weights to integers; what is meant is the value between, cut off.
    g, y = sample_of_integers(np.int32, "linear")
    program = tools.compile(g.model(y))
    got = tools.execute(program, g.feeds, "--ideal")[y]
    g, y = sample_of_integers(np.float32, "linear")
    between = reference(g.model(y), g.feeds)[y]
    assert got.dtype == np.int32
    assert (got <= between + 1e-3).all() and (got > between - 1 - 1e-3).all()


def test_grid_sample_far_outside(tools):
    g = Graph(opset=16)
    places = np.float32([[[[1e30, 0], [-1e30, 0], [np.inf, 0], [0, 0]]]])
    y = g("GridSample", g.input(1, 1, 4, 4), g.input(values=places))
    values = g.feeds["x0"][0, 0]
    wanted = np.float32([0, 0, 0, values[1:3, 1:3].mean()]).reshape(1, 1, 1, 4)
    check(tools, g, y, wanted={y: wanted})


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 5, 4), (1, 2, 3, 4, 5)])
def test_affine_grid(tools, size, corners):
    g = Graph(opset=20)
    spatial = len(size) - 2
    theta = g.input(size[0], spatial, spatial + 1)
    check_with_reference(tools, g, g("AffineGrid", theta, g.int64(*size), align_corners=corners))


@pytest.mark.parametrize("half", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_roi_align(tools, mode, half):
    g = Graph(opset=16)
    corners = g.rng.uniform(0, 10, (4, 2))
    rois = np.float32(np.concatenate([corners - 1.5, corners + g.rng.uniform(0.1, 8, (4, 2))], 1))
    y = g(
        "RoiAlign",
        g.input(2, 3, 9, 8),
        g.input(values=rois),
        g.input(values=np.array([1, 0, 0, 1])),
        mode=mode,
        coordinate_transformation_mode=half,
        output_height=3,
        output_width=2,
        sampling_ratio=2,
        spatial_scale=0.7,
    )
    check_with_reference(tools, g, y)


@pytest.mark.parametrize("constant_weights", [True, False])
@pytest.mark.parametrize("groups, moved", [(1, 1), (2, 1), (1, 2)])
def test_deform_conv(tools, groups, moved, constant_weights):
    g = Graph(opset=19)
    x = g.input(2, 4, 6, 5)
    shape = (6, 4 // groups, 3, 2)
    w = g.weight(*shape) if constant_weights else g.input(*shape)
    offset, mask = g.input(2, moved * 12, 3, 4), g.input(2, moved * 6, 3, 4)
    y = g(
        "DeformConv",
        x,
        w,
        offset,
        g.weight(6),
        mask,
        group=groups,
        offset_group=moved,
        strides=[2, 2],
        pads=[1, 2, 1, 1],
    )
    check_with_reference(tools, g, y)


def test_max_roi_pool(tools):
    g = Graph(opset=9)
    corners = g.rng.uniform(-2, 10, (5, 2))
    sides = g.rng.uniform(0, 9, (5, 2))
    rois = np.concatenate([g.rng.integers(0, 2, (5, 1)), corners, corners + sides], 1)
    x = g.input(2, 3, 9, 8)
    y = g("MaxRoiPool", x, g.input(values=np.float32(rois)), pooled_shape=[3, 2], spatial_scale=0.8)
    check(tools, g, y)
