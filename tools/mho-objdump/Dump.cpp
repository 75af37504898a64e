//===- Dump.cpp - header, weights and instructions as text ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dump.h"

#include "../StandardOutput.h"

#include "mho/Program/Instructions.h"
#include "mho/Target/Program/Disassemble.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <cstring>

using namespace mho;

template <typename Vector> static size_t sizeOf(const Vector *vector) {
  return vector ? vector->size() : 0;
}

static llvm::StringRef textOf(const flatbuffers::String *text) {
  return text ? llvm::StringRef(text->data(), text->size()) : llvm::StringRef();
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

static void printValues(llvm::raw_ostream &os, const fb::Program &program,
                        const char *direction,
                        const flatbuffers::Vector<uint32_t> *numbers) {
  for (size_t i = 0; i < sizeOf(numbers); ++i) {
    if (numbers->Get(i) >= sizeOf(program.values()))
      continue;
    const fb::Value &value = *program.values()->Get(numbers->Get(i));
    os << "  " << direction << " " << textOf(value.name()) << ": ";
    for (size_t d = 0; d < sizeOf(value.shape()); ++d)
      os << value.shape()->Get(d) << "x";
    os << isa::nameOf(isa::Type(value.type())) << " at " << value.offset()
       << "\n";
  }
}

static size_t instructionsIn(const fb::Code &code) {
  if (!code.bytes())
    return 0;
  auto list = isa::decode({code.bytes()->data(), code.bytes()->size()});
  return list.ok() ? list->size() : 0;
}

void mho::printHeader(llvm::raw_ostream &os, const Container &file) {
  const fb::Program &program = file.program();
  const FileHeader &head = file.header();
  os << "format " << head.format << ", " << head.fileBytes << " bytes, by "
     << textOf(program.producer()) << "\n";
  os << "model " << textOf(program.model()) << ", opset " << program.opset()
     << ", target " << textOf(program.target()) << ", seed " << program.seed()
     << (program.calibrated() ? ", calibrated" : ", not calibrated") << "\n";
  const std::pair<const char *, SectionHeader> sections[] = {
      {"structure", head.structure},
      {"constants", head.constants},
      {"weights", head.weights}};
  for (auto [name, section] : sections)
    os << llvm::format("%-10s at %-10llu %12llu bytes, xxh3 %016llx\n", name,
                       (unsigned long long)section.offset,
                       (unsigned long long)section.size,
                       (unsigned long long)section.checksum);
  os << "units " << sizeOf(program.units()) << ", programs "
     << sizeOf(program.codes()) << ", banks " << sizeOf(program.banks())
     << ", arrays " << sizeOf(program.arrays()) << ", channels "
     << sizeOf(program.channels()) << ", nodes " << sizeOf(program.nodes())
     << "\n";
  if (program.entries())
    for (const fb::Entry *entry : *program.entries()) {
      os << "entry " << textOf(entry->name()) << ", io " << entry->io_bytes()
         << " bytes\n";
      printValues(os, program, "input", entry->inputs());
      printValues(os, program, "output", entry->outputs());
      printValues(os, program, "state", entry->states());
    }
  if (program.codes())
    for (const fb::Code *code : *program.codes())
      os << "program " << textOf(code->name()) << ": " << instructionsIn(*code)
         << " instructions, " << sizeOf(code->bytes()) << " bytes, scratch "
         << code->scratch_bytes() << ", peak " << code->peak_bytes() << "\n";
  if (program.notes())
    for (const flatbuffers::String *note : *program.notes())
      os << "note: " << textOf(note) << "\n";
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void mho::printWeights(llvm::raw_ostream &os, const Container &file) {
  const fb::Program &program = file.program();
  if (!program.banks())
    return;
  for (const fb::Bank *bank : *program.banks()) {
    os << "bank " << textOf(bank->name()) << ": " << bank->rows() << "x"
       << bank->cols() << ", blocks "
       << std::max<size_t>(sizeOf(bank->row_splits()), 1) - 1 << "x"
       << std::max<size_t>(sizeOf(bank->col_splits()), 1) - 1 << ", at "
       << bank->offset();
    if (bank->input_range() != 0)
      os << llvm::format(", input range %g", bank->input_range());
    std::span<const std::byte> image = file.weights();
    uint64_t room = bank->offset() <= image.size()
                        ? (image.size() - bank->offset()) / sizeof(float)
                        : 0;
    if (bank->cols() == 0 || bank->rows() > room / bank->cols()) {
      os << ", outside the weight section\n";
      continue;
    }
    uint64_t count = bank->rows() * bank->cols();
    float low = INFINITY, high = -INFINITY;
    double squares = 0;
    for (uint64_t i = 0; i < count; ++i) {
      float weight;
      std::memcpy(&weight, image.data() + bank->offset() + 4 * i, 4);
      low = std::min(low, weight);
      high = std::max(high, weight);
      squares += double(weight) * weight;
    }
    os << llvm::format(
        ", values %g to %g, rms %g\n", low, high,
        std::sqrt(squares / double(std::max<uint64_t>(count, 1))));
  }
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

bool mho::printDisassembly(llvm::raw_ostream &os, Program file) {
  auto text = disassembleToText(std::move(file));
  if (!text.ok()) {
    llvm::errs() << "mho-objdump: error: " << text.message() << "\n";
    return false;
  }
  os << *text;
  return true;
}

int mho::objdump(const std::string &path, const std::string &other,
                 DumpParts parts) {
  auto open = [](const std::string &name) -> Program {
    auto file = Container::open(name);
    if (file.ok())
      return *file;
    llvm::errs() << "mho-objdump: error: " << file.message() << "\n";
    return nullptr;
  };
  Program file = open(path);
  if (!file)
    return 1;
  bool done = true;
  if (!other.empty()) {
    Program second = open(other);
    done = second && printDiff(llvm::outs(), file, second).value_or(false);
  } else {
    if (parts.header)
      printHeader(llvm::outs(), *file);
    if (parts.weights)
      printWeights(llvm::outs(), *file);
    if (parts.disassembly)
      done = printDisassembly(llvm::outs(), file);
  }
  if (std::string error = flushStandardOutput(); !error.empty()) {
    llvm::errs() << "mho-objdump: error: " << error << "\n";
    return 1;
  }
  return done ? 0 : 1;
}
