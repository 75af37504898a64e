//===- KernelBodyTest.cpp - what the verifier refuses
//-----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBody.h"

#include <gtest/gtest.h>

using namespace mho::rt;
using namespace mho::isa;

static Kernel addKernel() {
  Kernel kernel;
  kernel.dims = {{8, kNoSlot}};
  kernel.reads = {Access{Type::F32, Space::Scratch, 0, {1}, {}, {}, 0}};
  kernel.writes = {Write{Access{Type::F32, Space::Scratch, 64, {1}, {}, {}, 0},
                         WriteKind::Store, false, 0}};
  kernel.body.ops = {{uint16_t(MicroOpcode::ArithAddf), Type::F32, 0, {0, 0}}};
  kernel.body.yields = {1};
  return kernel;
}

TEST(KernelBody, AcceptsAnAddition) {
  EXPECT_TRUE(verifyKernelBody(addKernel()).ok());
}

TEST(KernelBody, RefusesRegistersThatAreNotYetDefined) {
  Kernel kernel = addKernel();
  kernel.body.ops[0].operands = {0, 1};
  EXPECT_EQ(verifyKernelBody(kernel).message(),
            "arith.addf uses register 1, which is not yet defined");
}

TEST(KernelBody, RefusesUnknownMicroOps) {
  Kernel kernel = addKernel();
  kernel.body.ops[0].op = 4000;
  EXPECT_EQ(verifyKernelBody(kernel).message(), "there is no micro-op 4000");
}

TEST(KernelBody, RefusesTheWrongNumberOfOperands) {
  Kernel kernel = addKernel();
  kernel.body.ops[0].operands = {0};
  EXPECT_FALSE(verifyKernelBody(kernel).ok());
}

TEST(KernelBody, RefusesMixedTypes) {
  Kernel kernel = addKernel();
  kernel.body.ops[0].type = Type::I32;
  EXPECT_FALSE(verifyKernelBody(kernel).ok());
  kernel = addKernel();
  kernel.writes[0].access.type = Type::F64;
  EXPECT_EQ(verifyKernelBody(kernel).message(), "yields f32 to f64");
}

TEST(KernelBody, RefusesTablesAndDimensionsThatAreNotThere) {
  Kernel kernel = addKernel();
  kernel.body.ops[0] = {uint16_t(MicroOpcode::TileIndex), Type::I64, 1, {}};
  EXPECT_EQ(verifyKernelBody(kernel).message(),
            "tile.index names dimension 1 of 1");
  kernel.body.ops[0] = {uint16_t(MicroOpcode::TileLoad), Type::F32, 0, {0}};
  EXPECT_EQ(verifyKernelBody(kernel).message(), "tile.load names table 0 of 0");
}
