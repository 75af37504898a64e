//===- MathTest.cpp - accuracy of the elementary functions
//------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Blocks.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace mho::rt;
using mho::isa::MicroOpcode;
using mho::isa::Type;

namespace {
struct Function {
  const char *name;
  MicroOpcode op;
  double (*exact)(double);
  float low, high;
  double ulps; ///< from the nearest f32; Highway's bound where it is its own
};
const Function functions[] = {
    {"exp", MicroOpcode::MathExp, std::exp, -103, 88, 1},
    {"expm1", MicroOpcode::MathExpm1, std::expm1, -103, 88, 4},
    {"tanh", MicroOpcode::MathTanh, std::tanh, -12, 12, 4},
    {"erf", MicroOpcode::MathErf, std::erf, -5, 5, 2},
    {"log", MicroOpcode::MathLog, std::log, 1e-38f, 1e4f, 4},
    {"log1p", MicroOpcode::MathLog1p, std::log1p, -0.9f, 1e4f, 2},
    {"log2", MicroOpcode::MathLog2, std::log2, 1e-38f, 1e4f, 2},
    {"sin", MicroOpcode::MathSin, std::sin, -1000, 1000, 3},
    {"cos", MicroOpcode::MathCos, std::cos, -1000, 1000, 3},
    {"asin", MicroOpcode::MathAsin, std::asin, -1, 1, 2},
    {"acos", MicroOpcode::MathAcos, std::acos, -1, 1, 2},
    {"atan", MicroOpcode::MathAtan, std::atan, -100, 100, 3},
    {"sinh", MicroOpcode::MathSinh, std::sinh, -88, 88, 4},
    {"asinh", MicroOpcode::MathAsinh, std::asinh, -1e5f, 1e5f, 3},
    {"acosh", MicroOpcode::MathAcosh, std::acosh, 1, 1e5f, 3},
    {"atanh", MicroOpcode::MathAtanh, std::atanh, -0.99f, 0.99f, 3},
    {"round", MicroOpcode::MathRound, std::round, -20, 20, 0},
};

double ulpsOff(float got, double exact) {
  float nearest = float(exact);
  if ((std::isnan(got) && std::isnan(nearest)) || got == nearest)
    return 0;
  float next = std::nextafter(std::fabs(nearest), INFINITY);
  double ulp = std::max(double(next) - std::fabs(nearest), 1.4e-45);
  return std::fabs(double(got) - exact) / ulp;
}

std::vector<float> apply(const blocks::Table &table, MicroOpcode op,
                         const std::vector<float> &x,
                         const std::vector<float> &y) {
  std::vector<float> out(x.size());
  blocks::Call call{op, Type::F32,  Type::F32,
                    0,  out.data(), {x.data(), y.data(), nullptr},
                    {}, x.size()};
  EXPECT_TRUE(table.apply(call));
  return out;
}
} // namespace

TEST(Math, WithinTheirBounds) {
  for (const Function &function : functions) {
    std::vector<float> x;
    for (int i = 0; i <= 200000; ++i)
      x.push_back(function.low +
                  (function.high - function.low) * float(i) / 200000);
    for (int i = 1; i < 100; ++i)
      x.push_back(std::max(std::ldexp(function.high, -i), function.low));
    std::vector<float> y = apply(blocks::table(), function.op, x, {});
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < x.size(); ++i)
      if (double off = ulpsOff(y[i], function.exact(double(x[i])));
          off > worst) {
        worst = off;
        where = x[i];
      }
    EXPECT_LE(worst, function.ulps + 0.5) << function.name << " at " << where;
  }
}

TEST(Math, PowWithinOneUlp) {
  std::vector<float> x, y;
  for (int i = 1; i <= 300; ++i)
    for (int j = -100; j <= 100; ++j) {
      x.push_back(float(i) * 0.07f);
      y.push_back(float(j) * 0.13f);
    }
  std::vector<float> z = apply(blocks::table(), MicroOpcode::MathPowf, x, y);
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_LE(ulpsOff(z[i], std::pow(double(x[i]), double(y[i]))), 1.0)
        << x[i] << " ^ " << y[i];
}

TEST(Math, SpecialValues) {
  float infinity = INFINITY;
  std::vector<float> x = {infinity, -infinity, NAN, 0, -0.0f, 200, -200};
  auto exp = apply(blocks::table(), MicroOpcode::MathExp, x, {});
  EXPECT_EQ(exp[0], infinity);
  EXPECT_EQ(exp[1], 0);
  EXPECT_TRUE(std::isnan(exp[2]));
  EXPECT_EQ(exp[3], 1);
  EXPECT_EQ(exp[5], infinity);
  EXPECT_EQ(exp[6], 0);
  auto tanh = apply(blocks::table(), MicroOpcode::MathTanh, x, {});
  EXPECT_EQ(tanh[0], 1);
  EXPECT_EQ(tanh[1], -1);
  EXPECT_TRUE(std::isnan(tanh[2]));
  EXPECT_TRUE(std::signbit(tanh[4]));
  const std::pair<MicroOpcode, double (*)(double)> others[] = {
      {MicroOpcode::MathExpm1, std::expm1},
      {MicroOpcode::MathLog1p, std::log1p},
      {MicroOpcode::MathLog2, std::log2},
      {MicroOpcode::MathAtan, std::atan},
      {MicroOpcode::MathAsin, std::asin},
      {MicroOpcode::MathAcos, std::acos}};
  for (auto [op, exact] : others) {
    auto y = apply(blocks::table(), op, x, {});
    for (size_t i = 0; i < x.size(); ++i)
      EXPECT_LE(ulpsOff(y[i], exact(double(x[i]))), 4.5)
          << "function " << int(op) << " of " << x[i];
  }
  auto erf = apply(blocks::table(), MicroOpcode::MathErf, x, {});
  EXPECT_EQ(erf[0], 1);
  EXPECT_TRUE(std::isnan(erf[2]));
  auto log = apply(blocks::table(), MicroOpcode::MathLog, x, {});
  EXPECT_EQ(log[0], infinity);
  EXPECT_TRUE(std::isnan(log[1]));
  EXPECT_TRUE(std::isnan(log[2]));
  EXPECT_EQ(log[3], -infinity);
}

TEST(Math, SameBytesOnEveryTargetThatFuses) {
  std::vector<const blocks::Table *> list = blocks::tables();
  for (const Function &function : functions) {
    std::vector<float> x;
    for (int i = 0; i < 10007; ++i)
      x.push_back(function.low +
                  (function.high - function.low) * float(i) / 10007);
    std::vector<float> first = apply(*list[0], function.op, x, {});
    for (size_t t = 1; t < list.size(); ++t) {
      if (!list[0]->fusesMultiplyAdd || !list[t]->fusesMultiplyAdd)
        continue;
      std::vector<float> other = apply(*list[t], function.op, x, {});
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(std::bit_cast<uint32_t>(first[i]),
                  std::bit_cast<uint32_t>(other[i]))
            << function.name << " of " << x[i] << " on " << list[t]->name;
    }
  }
}
