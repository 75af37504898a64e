//===- Noise-inl.h - converters, noise and devices, sixteen at a time ------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Kernels-inl.h.
//
//===----------------------------------------------------------------------===//

/// Squared radius and direction of the outputs of two groups of 64:
/// output vector v (16 outputs) of group g at [g][v].
struct Draws {
  F squared[2][4], direction[2][4];
};
MHO_INLINE Draws drawPair(const Key &key, uint64_t group) {
  Words words = philox16(key, group * 8);
  Draws d;
#pragma clang loop unroll(full)
  for (int w = 0; w < 4; ++w) {
    F q, c, s;
    shortPair(words.w[w], q, c, s);
    d.squared[0][w] = MHO_LOW(q, q);
    d.squared[1][w] = MHO_HIGH(q, q);
    d.direction[0][w] = MHO_LOW(c, s);
    d.direction[1][w] = MHO_HIGH(c, s);
  }
  return d;
}

static void readNormals(const Key &key, uint64_t firstGroup, int64_t groups,
                        float *out) {
  for (int64_t g = 0; g < groups; g += 2) {
    Draws d = drawPair(key, firstGroup + g);
    for (int h = 0; h < 2 && g + h < groups; ++h)
      for (int v = 0; v < 4; ++v)
        store(out + (g + h) * 64 + v * 16,
              fastRoot(d.squared[h][v]) * d.direction[h][v]);
  }
}

MHO_INLINE F asFloat(F x) { return x; }
MHO_INLINE F asFloat(I x) { return toFloat(x); }

MHO_INLINE void finish(const Epilogue &e, int64_t row, int64_t column, F t) {
  if (e.convert)
    t = roundEven(clip(t, -e.largest, e.largest));
  float *out = e.out[row] + column;
  F scale = load<F>(e.scale + column), shift = load<F>(e.shift + column);
  int64_t count = e.columns - column;
  if (count >= 16) {
    F y = fma(t, scale, shift);
    if (e.accumulate)
      y = load<F>(out) + y;
    store(out, y);
    return;
  }
  F y = fma(t, scale, shift);
  for (int64_t i = 0; i < count; ++i)
    out[i] = e.accumulate ? out[i] + y[i] : y[i];
}

template <typename Acc> static void epilogue(const Epilogue &e) {
  const char *acc = (const char *)e.acc;
  const char *variance = (const char *)e.variance;
  if (!variance) {
    for (int64_t row = 0; row < e.rows; ++row)
      for (int64_t c = 0; c < e.columns; c += 16)
        finish(e, row, c,
               asFloat(load<Acc>(acc + (row * e.stride + c) * 4)) *
                   load<F>(e.gain + c));
    return;
  }
  int64_t total = e.rows * e.stride, row = 0, column = 0;
  for (int64_t base = 0; base < total; base += 128) {
    Draws d = drawPair(e.key, e.firstGroup + base / 64);
#pragma clang loop unroll(full)
    for (int h = 0; h < 2; ++h)
#pragma clang loop unroll(full)
      for (int v = 0; v < 4; ++v) {
        int64_t at = base + h * 64 + v * 16;
        if (at >= total)
          break;
        F sum = asFloat(load<Acc>(acc + at * 4));
        F var = asFloat(load<Acc>(variance + at * 4)) *
                load<F>(e.spread + column) * splat(e.rowSpread[row]);
        F noise = fastRoot(var * d.squared[h][v]) * d.direction[h][v];
        finish(e, row, column, fma(sum, load<F>(e.gain + column), noise));
        column += 16;
        if (column == e.stride) {
          column = 0;
          ++row;
        }
      }
  }
}

MHO_INLINE F code(F x, float codesPerUnit, float largest) {
  return roundEven(clip(x * splat(codesPerUnit), -largest, largest));
}
/// The last lanes of an array of any length, zero where it ends.
MHO_INLINE F loadSome(const float *from, int64_t count) {
  float lanes[16] = {};
  memcpy(lanes, from, count * 4);
  return load<F>(lanes);
}

static void codes(const float *x, int64_t n, float codesPerUnit, float largest,
                  int16_t *out) {
  typedef int16_t H __attribute__((ext_vector_type(16)));
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    store(out + i, __builtin_convertvector(
                       toInt(code(load<F>(x + i), codesPerUnit, largest)), H));
  if (i < n) {
    H last = __builtin_convertvector(
        toInt(code(loadSome(x + i, n - i), codesPerUnit, largest)), H);
    memcpy(out + i, &last, (n - i) * 2);
  }
}

static void codesF32(const float *x, int64_t n, float codesPerUnit,
                     float largest, float *out) {
  for (int64_t i = 0; i < n; i += 16) {
    int64_t count = n - i < 16 ? n - i : 16;
    F c = code(loadSome(x + i, count), codesPerUnit, largest);
    memcpy(out + i, &c, count * 4);
  }
}

static int32_t largest(const int16_t *codes, int64_t n) {
  int32_t most = 0;
  for (int64_t i = 0; i < n; ++i) {
    int32_t magnitude = codes[i] < 0 ? -codes[i] : codes[i];
    most = magnitude > most ? magnitude : most;
  }
  return most;
}

static void squares(const int16_t *codes, int64_t n, float factor,
                    uint8_t *out) {
  for (int64_t i = 0; i < n; ++i) {
    float q = codes[i];
    int32_t v = (int32_t)(q * q * factor + 0.5f);
    out[i] = v > 255 ? 255 : v;
  }
}

static void ditheredSquares(const int16_t *codes, int64_t n, float factor,
                            uint32_t first, uint8_t *out) {
  for (int64_t i = 0; i < n; ++i) {
    float q = codes[i];
    // One multiplicative hash per element: rounding needs no better draw.
    uint32_t h = (first + (uint32_t)i) * 0x9E3779B9u;
    h = (h ^ (h >> 15)) * 0x85EBCA6Bu;
    float draw = (float)(int32_t)(h >> 16) * 0x1p-16f;
    int32_t v = (int32_t)(q * q * factor + draw);
    out[i] = v > 255 ? 255 : v;
  }
}

static void cellNormals(const Key &key, uint64_t first, int64_t count,
                        float *out) {
  for (int64_t i = 0; i < count; i += 16) {
    Words w = philox16(key, first + i);
    F n[4];
    longPair(w.w[0], w.w[1], n[0], n[1]);
    longPair(w.w[2], w.w[3], n[2], n[3]);
    for (int64_t j = 0; j < 16 && i + j < count; ++j)
      for (int k = 0; k < 4; ++k)
        out[(i + j) * 4 + k] = n[k][j];
  }
}

MHO_INLINE F cubic(const float p[4], F r) {
  F v = fma(splat(p[3]), r, splat(p[2]));
  v = fma(v, r, splat(p[1]));
  return fma(v, r, splat(p[0]));
}
MHO_INLINE F branch(const PcmModel::Branch &b, F r, F logR) {
  F low = clip(fma(splat(b.slope), logR, splat(b.constant)), b.low, b.high);
  return select(r < splat(b.border), low, cubic(b.poly, r));
}

/// What the fit says for devices of one target: how far programming errs, and
/// the exponent of drift, its mean and its spread.
struct Fitted {
  F sigma, mean, spread;
};
MHO_INLINE Fitted fit(const PcmModel &m, const ProgramCells &c, F target) {
  F logTarget = log(most(target, splat(1e-7f)));
  return {cubic(m.programming, target) * splat(c.programmingScale / m.gMax),
          branch(m.mean, target, logTarget),
          branch(m.spread, target, logTarget)};
}

/// Conductance over g_max of one device, programmed and now, and the variance
/// of one read.
struct Device {
  F programmed, now, variance;
};
MHO_INLINE Device program(const PcmModel &m, const ProgramCells &c, F target,
                          const Fitted &fitted, F xi, F eta) {
  Device d;
  d.programmed = most(fma(fitted.sigma, xi, target), splat(0.0f));
  F nu = fma(fitted.spread, eta, fitted.mean);
  nu = (F)((U)nu & usplat(0x7fffffffu));
  d.now =
      c.logAge == 0 ? d.programmed : d.programmed * exp(nu * splat(-c.logAge));
  F logProgrammed = log(most(d.programmed, splat(1e-7f)));
  F q = branch(m.read, d.programmed, logProgrammed) * d.now;
  d.variance = q * q * splat(c.readFactor);
  return d;
}

MHO_INLINE F magnitude(F x) { return (F)((U)x & usplat(0x7fffffffu)); }

/// Of a cell's two devices one is programmed to the weight's magnitude and the
/// other to nothing: the fit of "nothing" is the same for all.
static void programPcm(const PcmModel &model, const ProgramCells &cells) {
  int64_t columns = cells.columns;
  F zero = splat(0.0f);
  Fitted nothing = fit(model, cells, zero);
  for (int64_t row = 0; row < cells.rows; ++row)
    for (int64_t c = 0; c < columns; c += 16) {
      int64_t at = row * columns + c;
      F w = load<F>(cells.weights + at);
      I negative = (I)(w < zero);
      Words draws = philox16(cells.key, at);
      F xi[2], eta[2];
      longPair(draws.w[0], draws.w[1], xi[0], eta[0]);
      longPair(draws.w[2], draws.w[3], xi[1], eta[1]);
      F target = magnitude(w);
      Device holds = program(model, cells, target, fit(model, cells, target),
                             select(negative, xi[1], xi[0]),
                             select(negative, eta[1], eta[0]));
      Device idle =
          program(model, cells, zero, nothing, select(negative, xi[0], xi[1]),
                  select(negative, eta[0], eta[1]));
      if (cells.faultThreshold) {
        Words faults = philox16(cells.faultKey, at);
        U words[2] = {select(negative, faults.w[1], faults.w[0]),
                      select(negative, faults.w[0], faults.w[1])};
        Device *devices[2] = {&holds, &idle};
        for (int d = 0; d < 2; ++d) {
          I stuck = (I)(words[d] < usplat(cells.faultThreshold));
          devices[d]->programmed = select(stuck, zero, devices[d]->programmed);
          devices[d]->now = select(stuck, zero, devices[d]->now);
          devices[d]->variance = select(stuck, zero, devices[d]->variance);
        }
      }
      store(cells.weights + at,
            select(negative, idle.now - holds.now, holds.now - idle.now));
      if (cells.variance)
        store(cells.variance + at, holds.variance + idle.variance);
      store(cells.programmedSum + c,
            load<F>(cells.programmedSum + c) +
                magnitude(holds.programmed - idle.programmed));
      store(cells.presentSum + c,
            load<F>(cells.presentSum + c) + magnitude(holds.now - idle.now));
    }
}
