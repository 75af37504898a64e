//===- ModelMutator.h - changes that leave a model a model ------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Changed bytes seldom are an ONNX model still. These changes are made in the
// messages: other operators, attributes, shapes, types and names, each wrong in
// one place only, so that they reach the importer's handlers.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TEST_FUZZ_MODELMUTATOR_H
#define MHO_TEST_FUZZ_MODELMUTATOR_H

#include "onnx/onnx_pb.h"

#include <random>
#include <string>
#include <vector>

class ModelMutator {
public:
  ModelMutator(onnx::ModelProto &model, unsigned seed);

  /// Makes one change.
  void change();
  /// Puts a part of another model in place of one of the same kind.
  void cross(const onnx::ModelProto &other);

private:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  /// Lists all messages and the texts that stand in names' places.
  void collect(Message &message);
  size_t below(size_t count) { return random() % count; }
  int64_t integer();
  double real();
  const std::string &name();

  void changeOperator(onnx::NodeProto &node);
  void changeAttribute(onnx::NodeProto &node);
  void changeInput(onnx::NodeProto &node);
  void changeShape(onnx::TypeProto::Tensor &type);
  /// A tensor of another shape and type, whose data fit.
  void changeTensor(onnx::TensorProto &tensor);
  void changeField(Message &message);
  void changeRepeated(Message &message, const Field *field);
  void setScalar(Message &message, const Field *field);

  onnx::ModelProto &model;
  std::minstd_rand random;
  std::vector<Message *> messages;
  std::vector<std::string> names;
};

#endif // MHO_TEST_FUZZ_MODELMUTATOR_H
