//===- ChipModel.h - what passes may ask about the target -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CHIP_CHIPMODEL_H
#define MHO_CHIP_CHIPMODEL_H

#include "mho/Program/program_generated.h"
#include "mho/Support/Status.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mho {

/// Answers every hardware question of the compiler. No pass holds a number of
/// its own; the chip file is read into the container's own chip section.
class ChipModel {
public:
  /// Reads a built-in chip by name, or a chip file by path. Errors name file,
  /// line and column, or list the built-in chips.
  static Expected<std::shared_ptr<const ChipModel>>
  read(llvm::StringRef target);
  explicit ChipModel(fb::ChipT chip);

  /// The same chip read in another of its modes.
  Expected<std::shared_ptr<const ChipModel>>
  withReadMode(llvm::StringRef mode) const;

  const fb::ChipT &chip() const { return spec; }
  llvm::StringRef name() const { return spec.name; }

  unsigned numKinds() const { return spec.kinds.size(); }
  llvm::StringRef kindName(unsigned kind) const;
  /// Units of a kind; nullopt where there are as many as needed.
  std::optional<int64_t> unitCount(unsigned kind) const;
  /// The kind that has the arrays, and the one that holds inputs and outputs.
  unsigned arrayKind() const { return arrays; }
  unsigned ioKind() const { return spec.io_kind; }

  int64_t arrayRows() const;
  int64_t arrayColumns() const;
  /// Arrays in one unit of a kind; nullopt where there are as many as needed.
  std::optional<int64_t> arraysPerUnit(unsigned kind) const;
  /// Arrays of the whole chip; nullopt where there are as many as needed.
  std::optional<int64_t> totalArrays() const;
  /// How an array holds a signed weight, and devices per polarity.
  llvm::StringRef encoding() const;
  unsigned devicesPerPolarity() const;
  bool scalePerColumn() const;
  bool adcRangePerColumn() const;
  /// The order in which the gates of a hidden unit lie side by side, in ONNX's
  /// letters; empty where the gates' columns stay apart.
  llvm::StringRef gateColumns() const;

  /// Whether the digital logic of a unit kind has a graph op ("relu").
  bool supports(unsigned kind, llvm::StringRef op) const;
  /// "64 arrays of 256x256, 4194304 weights".
  std::string capacity() const;

private:
  const fb::ArraysT &arraySpec() const { return *spec.kinds[arrays]->arrays; }

  fb::ChipT spec;
  unsigned arrays = 0;
};

/// One line of `mhoc --list-targets`.
struct TargetInfo {
  std::string name, description, capacity;
};

/// The built-in chips, by name.
std::vector<TargetInfo> listTargets();

/// Reads a chip description; `file` is named in errors.
Expected<fb::ChipT> parseChip(llvm::StringRef yaml, llvm::StringRef file);

} // namespace mho

#endif // MHO_CHIP_CHIPMODEL_H
