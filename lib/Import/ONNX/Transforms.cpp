//===- Transforms.cpp - Fourier transforms, windows, mel filters ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A transform is a product with a constant matrix on the left, which stays
// digital: sines are no weights that an array's noise should touch. A length
// with factors is transformed factor by factor, as Cooley and Tukey do.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// Lengths up to here are one product each.
constexpr int64_t kDirectLength = 256;
/// The largest factor that cannot be split further.
constexpr int64_t kLargestFactor = 4096;

Expr constant(Node &n, ArrayRef<int64_t> shape, Type element,
              ArrayRef<double> values) {
  auto type = n.typeOf(shape, element);
  if (element.isF64())
    return {n, n.constant(DenseElementsAttr::get(type, values))};
  if (element.isF32()) {
    SmallVector<float> narrow(values.begin(), values.end());
    return {n, n.constant(DenseElementsAttr::get(type, ArrayRef(narrow)))};
  }
  SmallVector<Attribute> attributes;
  for (double value : values)
    attributes.push_back(isa<FloatType>(element)
                             ? Attribute(n.b.getFloatAttr(element, value))
                             : n.b.getIntegerAttr(element, int64_t(value)));
  return {n, n.constant(DenseElementsAttr::get(type, attributes))};
}

Type outputType(Node &n) {
  int64_t asked = n.integer("output_datatype", onnx::TensorProto::FLOAT);
  if (Type element = elementType(n.b.getContext(), asked))
    return element;
  n.refuse("attribute 'output_datatype' is " + dataTypeName(asked) +
           ", which is not supported");
}

//===----------------------------------------------------------------------===//
// Fourier transforms
//===----------------------------------------------------------------------===//

/// Numbers [before, length, behind]; without `imaginary` they are real.
struct Signal {
  Expr real;
  std::optional<Expr> imaginary;

  template <typename Fn> Signal map(Fn fn) const {
    Signal result{fn(real), std::nullopt};
    if (imaginary)
      result.imaginary = fn(*imaginary);
    return result;
  }
};

class Transform {
public:
  /// e^(direction·2πi·kn/length), times `scale`.
  Transform(Node &n, double direction) : n(n), direction(direction) {}

  /// The first `rows` frequencies.
  Signal run(const Signal &x, int64_t rows, double scale) {
    int64_t length = x.real.shape()[1];
    int64_t factor = length > kDirectLength ? factorOf(length) : 1;
    if (factor == 1)
      return direct(x, rows, scale);
    Signal y = split(x, factor, length / factor, scale);
    return y.map([&](Expr e) { return e.slice(1, 0, rows); });
  }

private:
  /// The largest factor up to the root, or 1.
  int64_t factorOf(int64_t length) {
    for (int64_t factor = std::sqrt(double(length)); factor > 1; --factor)
      if (length % factor == 0)
        return factor;
    if (length > kLargestFactor)
      n.refuse("transforms of a length with the prime factor " + Twine(length) +
               " are not supported; pad to another length");
    return 1;
  }

  /// Cosines and sines of 2π·(i·j)/length for i below `rows`, j below
  /// `columns`.
  std::pair<Expr, Expr> waves(int64_t rows, int64_t columns, int64_t length,
                              double scale, Type element,
                              ArrayRef<int64_t> shape) {
    n.expectTable({rows, columns});
    std::vector<double> cosine(rows * columns), sine(rows * columns);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        // Reduced first, so that long signals lose no digits.
        double angle = 2 * M_PI * double(i * j % length) / double(length);
        cosine[i * columns + j] = scale * std::cos(angle);
        sine[i * columns + j] = scale * direction * std::sin(angle);
      }
    return {constant(n, shape, element, cosine),
            constant(n, shape, element, sine)};
  }

  Signal direct(const Signal &x, int64_t rows, double scale) {
    int64_t length = x.real.shape()[1];
    auto [cosine, sine] =
        waves(rows, length, length, scale, x.real.element(), {rows, length});
    Expr real = matmul(cosine, x.real), imaginary = matmul(sine, x.real);
    if (x.imaginary) {
      real = real - matmul(sine, *x.imaginary);
      imaginary = imaginary + matmul(cosine, *x.imaginary);
    }
    return {real, imaginary};
  }

  /// Transforms of `a` elements that are `b` apart, turned by their place,
  /// then transforms across them.
  Signal split(const Signal &x, int64_t a, int64_t b, double scale) {
    int64_t before = x.real.shape()[0], behind = x.real.shape()[2];
    Signal y =
        x.map([&](Expr e) { return e.reshape({before, a, b * behind}); });
    y = run(y, a, scale);
    y = y.map([&](Expr e) { return e.reshape({before * a, b, behind}); });
    auto [cosine, sine] = waves(a, b, a * b, 1, x.real.element(), {1, a, b, 1});
    auto apart = [&](Expr e) { return e.reshape({before, a, b, behind}); };
    Expr real = apart(y.real), imaginary = apart(*y.imaginary);
    auto joined = [&](Expr e) { return e.reshape({before * a, b, behind}); };
    y = {joined(real * cosine - imaginary * sine),
         joined(real * sine + imaginary * cosine)};
    y = run(y, b, 1);
    return y.map([&](Expr e) {
      return apart(e).transpose({0, 2, 1, 3}).reshape({before, a * b, behind});
    });
  }

  Node &n;
  double direction;
};

/// The first `length` elements of axis 1, zeros where there are fewer.
Expr fitted(Expr x, int64_t length) {
  Node &n = x.node();
  int64_t have = x.shape()[1];
  if (have >= length)
    return x.slice(1, 0, length);
  Shape low(3, 0), high{0, length - have, 0}, shape(x.shape());
  shape[1] = length;
  return {n, n.make<graph::PadOp>(n.typeOf(shape, x.element()), Value(x),
                                  Value(), n.b.getDenseI64ArrayAttr(low),
                                  n.b.getDenseI64ArrayAttr(high),
                                  n.b.getStringAttr("constant"))};
}

/// All frequencies of a real signal from the first half of them.
Signal mirrored(Node &n, const Signal &half, int64_t length) {
  int64_t known = length / 2 + 1, rest = length - known;
  // Frequency length - k is the conjugate of k.
  auto turned = [&](Expr e) {
    Shape starts{0, rest, 0}, steps{1, -1, 1}, shape(e.shape());
    shape[1] = rest;
    return Expr(n,
                n.make<graph::SliceOp>(n.typeOf(shape, e.element()), Value(e),
                                       n.b.getDenseI64ArrayAttr(starts),
                                       n.b.getDenseI64ArrayAttr(steps)));
  };
  if (rest == 0)
    return half;
  Signal result{concat({half.real, turned(half.real)}, 1), std::nullopt};
  if (half.imaginary)
    result.imaginary = concat({*half.imaginary, -turned(*half.imaginary)}, 1);
  return result;
}

/// Transforms `axis` of x, whose last axis holds real and imaginary parts.
Expr fourier(Node &n, Expr x, int64_t axis, std::optional<int64_t> asked,
             bool inverse, bool onesided) {
  Shape shape(x.shape());
  int64_t parts = shape.back();
  if (parts != 1 && parts != 2)
    n.fail("the last axis holds one or two parts of a number, found " +
           text(Value(x).getType()));
  int64_t before = 1, behind = 1;
  for (int64_t i = 0; i + 1 < x.rank(); ++i)
    (i < axis ? before : behind) *= i == axis ? 1 : shape[i];
  bool toReal = inverse && onesided;
  int64_t length = asked.value_or(toReal ? 2 * (shape[axis] - 1) : shape[axis]);
  if (length < 1 || length > INT32_MAX)
    n.fail("a transform of length " + Twine(length) + " has no meaning");
  if (onesided && !inverse && parts == 2)
    n.fail("one-sided transforms take real signals, found " +
           text(Value(x).getType()));
  auto part = [&](int64_t i) {
    return x.slice(x.rank() - 1, i, 1).reshape({before, shape[axis], behind});
  };
  Signal signal{part(0), std::nullopt};
  if (parts == 2)
    signal.imaginary = part(1);
  int64_t given = toReal ? length / 2 + 1 : length;
  signal = signal.map([&](Expr e) { return fitted(e, given); });
  if (toReal)
    signal = mirrored(n, signal, length);
  int64_t rows = onesided && !inverse ? length / 2 + 1 : length;
  Signal y = Transform(n, inverse ? 1 : -1)
                 .run(signal, rows, inverse ? 1.0 / double(length) : 1);
  shape[axis] = rows;
  shape.back() = 1;
  Expr real = y.real.reshape(shape);
  if (toReal)
    return real;
  return concat({real, y.imaginary->reshape(shape)}, x.rank() - 1);
}

int64_t scalarOf(Node &n, size_t i, StringRef what) {
  Shape values = n.steering(i, what);
  if (values.size() != 1)
    n.fail(what + " must be one number, found " + Twine(values.size()));
  return values[0];
}

void dft(Node &n) {
  Value input = n.input(0);
  int64_t rank = n.type(input).getRank();
  if (rank < 2)
    n.fail("expected rank 2 or more, found " + text(input.getType()));
  int64_t axis = n.opset < 20 ? n.integer("axis", 1) : -2;
  if (n.opset >= 20 && n.optional(2))
    axis = scalarOf(n, 2, "the axis");
  axis = n.axis(axis, rank);
  if (axis == rank - 1)
    n.fail("the last axis holds the parts of a number and cannot be "
           "transformed");
  std::optional<int64_t> length;
  if (n.optional(1))
    length = scalarOf(n, 1, "the length");
  n.result(fourier(n, wide(n, input), axis, length, n.integer("inverse", 0),
                   n.integer("onesided", 0))
               .as(n.element(input)));
}

void stft(Node &n) {
  Value input = n.input(0), window = n.optional(2);
  Expr x = wide(n, input);
  if (x.rank() == 2)
    x = x.reshape({x.shape()[0], x.shape()[1], 1});
  if (x.rank() != 3)
    n.fail("expected [batch, length, parts], found " + text(input.getType()));
  int64_t batch = x.shape()[0], length = x.shape()[1], parts = x.shape()[2];
  int64_t step = scalarOf(n, 1, "the frame step");
  int64_t frame = n.optional(3) ? scalarOf(n, 3, "the frame length")
                  : window      ? n.type(window).getNumElements()
                                : length;
  if (step < 1 || frame < 1 || frame > length)
    n.fail("frames of " + Twine(frame) + " every " + Twine(step) +
           " do not fit a signal of " + Twine(length));
  if (window && n.type(window).getNumElements() != frame)
    n.fail("the window has " + Twine(n.type(window).getNumElements()) +
           " values for frames of " + Twine(frame));
  int64_t frames = (length - frame) / step + 1;
  n.expectTable({frames, frame});
  Shape places;
  for (int64_t i = 0; i < frames; ++i)
    for (int64_t j = 0; j < frame; ++j)
      places.push_back(i * step + j);
  Value indices = n.reshape(n.constantIntegers(places), {frames, frame});
  Expr y(n, n.make<graph::GatherOp>(
                n.typeOf({batch, frames, frame, parts}, x.element()), Value(x),
                indices, n.b.getI64IntegerAttr(1)));
  if (window)
    y = y * wide(n, window).as(x.element()).reshape({frame, 1});
  n.result(fourier(n, y, 2, std::nullopt, false, n.integer("onesided", 1))
               .as(n.element(input)));
}

//===----------------------------------------------------------------------===//
// Windows and mel filters
//===----------------------------------------------------------------------===//

/// Coefficients of cos(0), cos(2πi/period), cos(4πi/period).
void window(Node &n, double constantPart, double first, double second) {
  int64_t size = scalarOf(n, 0, "the size");
  if (size < 0)
    n.fail("a window of " + Twine(size) + " values has no meaning");
  n.expectTable(size);
  double period = n.integer("periodic", 1) ? size : size - 1;
  std::vector<double> values;
  for (int64_t i = 0; i < size; ++i) {
    double angle = 2 * M_PI * double(i) / period;
    // A window of one value lets it through.
    values.push_back(period == 0 ? 1
                                 : constantPart + first * std::cos(angle) +
                                       second * std::cos(2 * angle));
  }
  n.result(constant(n, {size}, outputType(n), values));
}

void hann(Node &n) { window(n, 0.5, -0.5, 0); }
void hamming(Node &n) { window(n, 25.0 / 46, -21.0 / 46, 0); }
void blackman(Node &n) { window(n, 0.42, -0.5, 0.08); }

/// Triangles over the frequencies of a spectrogram, their corners evenly
/// spaced in mel.
void melWeightMatrix(Node &n) {
  int64_t bands = scalarOf(n, 0, "the number of bands");
  int64_t length = scalarOf(n, 1, "the length of the transform");
  int64_t rate = scalarOf(n, 2, "the sample rate");
  double low = n.number(3, "the lower edge");
  double high = n.number(4, "the upper edge");
  int64_t bins = length / 2 + 1;
  if (bands < 1 || length < 1 || rate < 1)
    n.fail("a matrix of " + Twine(bins) + " frequencies and " + Twine(bands) +
           " bands at rate " + Twine(rate) + " has no meaning");
  n.expectTable({bins, bands});
  auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double step = (mel(high) - mel(low)) / double(bands + 2);
  Shape corners;
  for (int64_t i = 0; i < bands + 2; ++i) {
    double hertz =
        700 * (std::pow(10, (double(i) * step + mel(low)) / 2595) - 1);
    double bin = std::floor(double(length + 1) * hertz / double(rate));
    if (!(bin >= 0 && bin < double(bins)))
      n.fail("the edges reach beyond half the sample rate");
    corners.push_back(int64_t(bin));
  }
  std::vector<double> values(bins * bands, 0);
  for (int64_t band = 0; band < bands; ++band) {
    int64_t left = corners[band], top = corners[band + 1];
    int64_t right = corners[band + 2];
    auto at = [&](int64_t bin) -> double & {
      return values[bin * bands + band];
    };
    if (left == top)
      at(top) = 1;
    for (int64_t bin = left; bin <= top && left < top; ++bin)
      at(bin) = double(bin - left) / double(top - left);
    for (int64_t bin = top; bin < right; ++bin)
      at(bin) = double(right - bin) / double(right - top);
  }
  n.result(constant(n, {bins, bands}, outputType(n), values));
}

} // namespace

void addTransforms(HandlerTable &table) {
  table[".DFT"] = dft;
  table[".STFT"] = stft;
  table[".HannWindow"] = hann;
  table[".HammingWindow"] = hamming;
  table[".BlackmanWindow"] = blackman;
  table[".MelWeightMatrix"] = melWeightMatrix;
}

} // namespace mho::import
