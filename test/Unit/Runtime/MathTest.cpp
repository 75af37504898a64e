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
};
const Function functions[] = {
    {"exp", MicroOpcode::MathExp, std::exp, -103, 88},
    {"tanh", MicroOpcode::MathTanh, std::tanh, -12, 12},
    {"erf", MicroOpcode::MathErf, std::erf, -5, 5},
    {"log", MicroOpcode::MathLog, std::log, 1e-38f, 1e4f},
    {"sin", MicroOpcode::MathSin, std::sin, -1000, 1000},
    {"cos", MicroOpcode::MathCos, std::cos, -1000, 1000},
    {"round", MicroOpcode::MathRound, std::round, -20, 20},
};

double ulpsOff(float got, double exact) {
  float nearest = float(exact);
  if (std::isnan(got) && std::isnan(nearest))
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

TEST(Math, WithinTwoUlp) {
  for (const Function &function : functions) {
    std::vector<float> x;
    for (int i = 0; i <= 200000; ++i)
      x.push_back(function.low +
                  (function.high - function.low) * float(i) / 200000);
    for (int i = 1; i < 100; ++i)
      x.push_back(std::ldexp(function.high, -i));
    std::vector<float> y = apply(blocks::table(), function.op, x, {});
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < x.size(); ++i)
      if (double off = ulpsOff(y[i], function.exact(double(x[i])));
          off > worst) {
        worst = off;
        where = x[i];
      }
    EXPECT_LE(worst, 2.0) << function.name << " at " << where;
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
  auto erf = apply(blocks::table(), MicroOpcode::MathErf, x, {});
  EXPECT_EQ(erf[0], 1);
  EXPECT_TRUE(std::isnan(erf[2]));
  auto log = apply(blocks::table(), MicroOpcode::MathLog, x, {});
  EXPECT_EQ(log[0], infinity);
  EXPECT_TRUE(std::isnan(log[1]));
  EXPECT_TRUE(std::isnan(log[2]));
  EXPECT_EQ(log[3], -infinity);
}

TEST(Math, SameBytesOnEveryInstructionSet) {
  blocks::TableList list = blocks::tables();
  for (const Function &function : functions) {
    std::vector<float> x;
    for (int i = 0; i < 10007; ++i)
      x.push_back(function.low +
                  (function.high - function.low) * float(i) / 10007);
    std::vector<float> first = apply(*list.sets[0], function.op, x, {});
    for (size_t t = 1; t < list.count; ++t) {
      std::vector<float> other = apply(*list.sets[t], function.op, x, {});
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(std::bit_cast<uint32_t>(first[i]),
                  std::bit_cast<uint32_t>(other[i]))
            << function.name << " of " << x[i] << " on " << list.sets[t]->name;
    }
  }
}
