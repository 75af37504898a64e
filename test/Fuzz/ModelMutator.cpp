//===- ModelMutator.cpp - changes that leave a model a model --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelMutator.h"

#include "onnx/defs/schema.h"

#include <limits>

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using onnx::AttributeProto;
using onnx::NodeProto;
using onnx::TensorProto;

/// The newest schema of every operator, in one order.
static const std::vector<onnx::OpSchema> &schemas() {
  static const std::vector<onnx::OpSchema> all = [] {
    auto found = onnx::OpSchemaRegistry::get_all_schemas();
    std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
      return std::pair(a.domain(), a.Name()) < std::pair(b.domain(), b.Name());
    });
    return found;
  }();
  return all;
}

static const onnx::OpSchema *schemaOf(const NodeProto &node) {
  for (const onnx::OpSchema &schema : schemas())
    if (schema.Name() == node.op_type() &&
        (schema.domain() == node.domain() ||
         (schema.domain().empty() && node.domain() == "ai.onnx")))
      return &schema;
  return nullptr;
}

ModelMutator::ModelMutator(onnx::ModelProto &model, unsigned seed)
    : model(model), random(seed) {
  collect(model);
}

void ModelMutator::collect(Message &message) {
  messages.push_back(&message);
  if (auto *node = dynamic_cast<NodeProto *>(&message)) {
    names.insert(names.end(), node->input().begin(), node->input().end());
    names.insert(names.end(), node->output().begin(), node->output().end());
  } else if (auto *tensor = dynamic_cast<TensorProto *>(&message)) {
    names.push_back(tensor->name());
  } else if (auto *value = dynamic_cast<onnx::ValueInfoProto *>(&message)) {
    names.push_back(value->name());
  }
  const Reflection *reflection = message.GetReflection();
  std::vector<const Field *> fields;
  reflection->ListFields(message, &fields);
  for (const Field *field : fields) {
    if (field->cpp_type() != Field::CPPTYPE_MESSAGE)
      continue;
    if (!field->is_repeated()) {
      collect(*reflection->MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      collect(*reflection->MutableRepeatedMessage(&message, field, i));
  }
}

int64_t ModelMutator::integer() {
  static constexpr int64_t kOdd[] = {-1,
                                     0,
                                     1,
                                     2,
                                     3,
                                     4,
                                     7,
                                     8,
                                     16,
                                     17,
                                     -2,
                                     -5,
                                     100,
                                     255,
                                     1 << 16,
                                     1 << 20,
                                     int64_t(1) << 31,
                                     int64_t(1) << 37,
                                     int64_t(1) << 40,
                                     int64_t(1) << 62,
                                     std::numeric_limits<int64_t>::max(),
                                     std::numeric_limits<int64_t>::max() - 1,
                                     std::numeric_limits<int64_t>::min(),
                                     std::numeric_limits<int64_t>::min() + 1};
  // Small ones mostly: they are refused least.
  size_t most = below(3) ? 10 : std::size(kOdd);
  return kOdd[below(most)];
}

double ModelMutator::real() {
  static const double kOdd[] = {0.,
                                1.,
                                -1.,
                                .5,
                                2.,
                                -0.,
                                1e-40,
                                1e30,
                                -1e30,
                                1e300,
                                std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()};
  return kOdd[below(std::size(kOdd))];
}

const std::string &ModelMutator::name() {
  static const std::string kNone;
  return names.empty() ? kNone : names[below(names.size())];
}

void ModelMutator::change() {
  // As often a node, a tensor or a shape as anything else: most messages are
  // dimensions and attributes.
  Message *message = messages[below(messages.size())];
  if (below(2)) {
    std::vector<Message *> chosen;
    for (Message *one : messages)
      if (dynamic_cast<NodeProto *>(one) || dynamic_cast<TensorProto *>(one) ||
          dynamic_cast<onnx::TypeProto::Tensor *>(one))
        chosen.push_back(one);
    if (!chosen.empty())
      message = chosen[below(chosen.size())];
  }
  size_t kind = below(4);
  if (auto *node = dynamic_cast<NodeProto *>(message); node && kind > 0) {
    if (kind == 1)
      changeOperator(*node);
    else if (kind == 2)
      changeAttribute(*node);
    else
      changeInput(*node);
  } else if (auto *tensor = dynamic_cast<TensorProto *>(message);
             tensor && kind > 0) {
    changeTensor(*tensor);
  } else if (auto *type = dynamic_cast<onnx::TypeProto::Tensor *>(message);
             type && kind > 0) {
    changeShape(*type);
  } else {
    changeField(*message);
  }
  // Messages may be gone now.
  messages.clear();
  names.clear();
  collect(model);
}

void ModelMutator::cross(const onnx::ModelProto &other) {
  onnx::ModelProto copy = other;
  ModelMutator theirs(copy, unsigned(random()));
  const Message *taken = theirs.messages[below(theirs.messages.size())];
  std::vector<Message *> places;
  for (Message *message : messages)
    if (message->GetDescriptor() == taken->GetDescriptor())
      places.push_back(message);
  if (!places.empty())
    places[below(places.size())]->CopyFrom(*taken);
  messages.clear();
  names.clear();
  collect(model);
}

void ModelMutator::changeOperator(NodeProto &node) {
  const onnx::OpSchema &schema = schemas()[below(schemas().size())];
  node.set_op_type(schema.Name());
  node.set_domain(schema.domain());
  node.clear_attribute();
  while (node.input_size() < schema.min_input())
    node.add_input(name());
  while (node.input_size() > schema.max_input())
    node.mutable_input()->RemoveLast();
  while (node.output_size() < schema.min_output())
    node.add_output("new" + std::to_string(random()));
  for (const auto &[key, attribute] : schema.attributes())
    if (attribute.required)
      changeAttribute(node);
  for (const auto &import : model.opset_import())
    if (import.domain() == schema.domain())
      return;
  auto *import = model.add_opset_import();
  import->set_domain(schema.domain());
  import->set_version(schema.SinceVersion());
}

void ModelMutator::changeAttribute(NodeProto &node) {
  const onnx::OpSchema *schema = schemaOf(node);
  if (!schema || schema->attributes().empty())
    return;
  auto at = schema->attributes().begin();
  std::advance(at, below(schema->attributes().size()));
  AttributeProto *attribute = nullptr;
  for (AttributeProto &one : *node.mutable_attribute())
    if (one.name() == at->first)
      attribute = &one;
  if (!attribute) {
    attribute = node.add_attribute();
    attribute->set_name(at->first);
  }
  // Of another type now and then.
  attribute->set_type(below(20) ? at->second.type
                                : AttributeProto::AttributeType(below(15)));
  switch (attribute->type()) {
  case AttributeProto::FLOAT:
    return attribute->set_f(float(real()));
  case AttributeProto::INT:
    return attribute->set_i(integer());
  case AttributeProto::STRING:
    return attribute->set_s(name());
  case AttributeProto::TENSOR:
    return changeTensor(*attribute->mutable_t());
  case AttributeProto::FLOATS:
    if (below(2) && attribute->floats_size())
      return attribute->set_floats(int(below(attribute->floats_size())),
                                   float(real()));
    attribute->clear_floats();
    for (size_t count = below(6); count; --count)
      attribute->add_floats(float(real()));
    return;
  case AttributeProto::INTS:
    if (below(2) && attribute->ints_size())
      return attribute->set_ints(int(below(attribute->ints_size())), integer());
    attribute->clear_ints();
    for (size_t count = below(6); count; --count)
      attribute->add_ints(integer());
    return;
  case AttributeProto::STRINGS:
    return attribute->add_strings(name());
  case AttributeProto::GRAPH:
    // The graph itself, less what was put into it before.
    if (!attribute->has_g()) {
      onnx::GraphProto copy = model.graph();
      copy.clear_initializer();
      *attribute->mutable_g() = copy;
    }
    return;
  default:
    return;
  }
}

void ModelMutator::changeInput(NodeProto &node) {
  if (node.input_size() == 0 || below(6) == 0)
    node.add_input(name());
  else if (below(8) == 0)
    node.set_input(int(below(node.input_size())), "");
  else
    node.set_input(int(below(node.input_size())), name());
}

void ModelMutator::changeShape(onnx::TypeProto::Tensor &type) {
  if (below(2)) {
    type.set_elem_type(
        TensorProto::DataType(below(TensorProto::DataType_MAX + 1)));
    return;
  }
  auto &shape = *type.mutable_shape();
  if (shape.dim_size() && below(2)) {
    shape.mutable_dim(int(below(shape.dim_size())))->set_dim_value(integer());
    return;
  }
  shape.clear_dim();
  for (size_t rank = below(6); rank; --rank)
    shape.add_dim()->set_dim_value(int64_t(below(5)));
}

void ModelMutator::changeTensor(TensorProto &tensor) {
  static constexpr int kTypes[] = {
      TensorProto::FLOAT, TensorProto::INT64,   TensorProto::INT32,
      TensorProto::BOOL,  TensorProto::FLOAT16, TensorProto::UINT8,
      TensorProto::INT8,  TensorProto::DOUBLE,  TensorProto::UINT64,
      TensorProto::INT4,  TensorProto::STRING,  TensorProto::BFLOAT16};
  std::string named = tensor.name();
  tensor.Clear();
  tensor.set_name(named);
  int type = below(3) ? kTypes[below(2)] : kTypes[below(std::size(kTypes))];
  tensor.set_data_type(type);
  int64_t count = 1;
  for (size_t rank = below(4); rank; --rank) {
    int64_t extent = below(8) ? 1 + int64_t(below(4)) : integer();
    tensor.add_dims(extent);
    count = extent > 0 && extent <= 4096 && count <= 4096 ? count * extent : 0;
  }
  if (type == TensorProto::STRING) {
    for (int64_t i = 0; i < count; ++i)
      tensor.add_string_data(name());
    return;
  }
  std::string &raw = *tensor.mutable_raw_data();
  auto put = [&](auto value) {
    raw.append(reinterpret_cast<const char *>(&value), sizeof value);
  };
  for (int64_t i = 0; i < count; ++i)
    switch (type) {
    case TensorProto::FLOAT:
      put(float(real()));
      break;
    case TensorProto::DOUBLE:
      put(real());
      break;
    case TensorProto::INT64:
    case TensorProto::UINT64:
      put(integer());
      break;
    case TensorProto::INT32:
      put(int32_t(integer()));
      break;
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      put(uint16_t(random()));
      break;
    case TensorProto::BOOL:
      put(uint8_t(below(2)));
      break;
    case TensorProto::INT4:
      if (i % 2 == 0)
        put(uint8_t(random()));
      break;
    default:
      put(uint8_t(integer()));
    }
}

void ModelMutator::changeField(Message &message) {
  std::vector<const Field *> fields;
  const Reflection *reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  const auto *descriptor = message.GetDescriptor();
  if (descriptor->field_count() == 0)
    return;
  const Field *field =
      fields.empty() || below(4) == 0
          ? descriptor->field(int(below(descriptor->field_count())))
          : fields[below(fields.size())];
  if (field->is_repeated())
    return changeRepeated(message, field);
  if (&message != &model && below(8) == 0)
    return reflection->ClearField(&message, field);
  if (field->cpp_type() == Field::CPPTYPE_MESSAGE)
    return void(reflection->MutableMessage(&message, field));
  setScalar(message, field);
}

void ModelMutator::changeRepeated(Message &message, const Field *field) {
  const Reflection *reflection = message.GetReflection();
  int size = reflection->FieldSize(message, field);
  switch (size ? below(4) : 0) {
  case 0:
    if (field->cpp_type() != Field::CPPTYPE_MESSAGE)
      return setScalar(message, field);
    // A second one of something that is there.
    if (size) {
      std::string copy =
          reflection->GetRepeatedMessage(message, field, int(below(size)))
              .SerializePartialAsString();
      reflection->AddMessage(&message, field)->ParsePartialFromString(copy);
    } else {
      reflection->AddMessage(&message, field);
    }
    return;
  case 1:
    return reflection->RemoveLast(&message, field);
  case 2:
    return reflection->SwapElements(&message, field, int(below(size)),
                                    int(below(size)));
  default:
    reflection->SwapElements(&message, field, int(below(size)), size - 1);
    reflection->RemoveLast(&message, field);
  }
}

void ModelMutator::setScalar(Message &message, const Field *field) {
  const Reflection *reflection = message.GetReflection();
  auto put = [&](auto set, auto add, auto value) {
    if (field->is_repeated())
      (reflection->*add)(&message, field, std::move(value));
    else
      (reflection->*set)(&message, field, std::move(value));
  };
  switch (field->cpp_type()) {
  case Field::CPPTYPE_INT32:
    return put(&Reflection::SetInt32, &Reflection::AddInt32,
               int32_t(integer()));
  case Field::CPPTYPE_INT64:
    return put(&Reflection::SetInt64, &Reflection::AddInt64, integer());
  case Field::CPPTYPE_UINT32:
    return put(&Reflection::SetUInt32, &Reflection::AddUInt32,
               uint32_t(integer()));
  case Field::CPPTYPE_UINT64:
    return put(&Reflection::SetUInt64, &Reflection::AddUInt64,
               uint64_t(integer()));
  case Field::CPPTYPE_FLOAT:
    return put(&Reflection::SetFloat, &Reflection::AddFloat, float(real()));
  case Field::CPPTYPE_DOUBLE:
    return put(&Reflection::SetDouble, &Reflection::AddDouble, real());
  case Field::CPPTYPE_STRING:
    return put(&Reflection::SetString, &Reflection::AddString, name());
  case Field::CPPTYPE_ENUM:
    return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue,
               int(below(20)));
  default:
    return;
  }
}
