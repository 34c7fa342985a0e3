#include <unroll/core/array/safetensors.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unroll {

namespace {

// Keeps the keys in the order of the file.
using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t longest_header = 100'000'000;  // as the format has it
constexpr const char* metadata_key = "__metadata__";

// Reads one file and knows its name for messages.
class Parser {
 public:
  Parser(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  SafeTensors parse() {
    const Json header = read_header();
    SafeTensors contents;
    for (const auto& [name, value] : header.items()) {
      if (name == metadata_key)
        contents.metadata = read_metadata(value);
      else
        contents.arrays.push_back({name, read_array(name, value)});
    }
    require_no_gaps();
    return contents;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw FileError(fmt::format("{}: {}", what_, why)); }

  Json read_header() {
    if (bytes_.size() < length_bytes)
      fail(fmt::format("not a safetensors file: it has {} bytes, and the length of the header alone takes 8",
                       bytes_.size()));
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), length_bytes);
    const std::size_t rest = bytes_.size() - length_bytes;
    // a foreign file has any eight bytes here, so the other first sign of the format decides which message helps
    if (rest == 0 || bytes_[length_bytes] != '{')
      fail("not a safetensors file: there is no JSON header after the first 8 bytes");
    if (length > longest_header)
      fail(fmt::format("the header claims {} bytes, and {} is the most that safetensors allows", length,
                       longest_header));
    if (length > rest)
      fail(fmt::format("truncated: the header claims {} bytes, and {} are there; copy or make the file again", length,
                       rest));
    const std::string_view text = bytes_.substr(length_bytes, length);
    data_ = bytes_.substr(length_bytes + length);
    try {
      Json header = Json::parse(text);
      if (!header.is_object()) fail("the header is not a JSON object");
      return header;
    } catch (const Json::exception& e) { fail(fmt::format("the header is not JSON: {}", e.what())); }
  }

  std::map<std::string, std::string> read_metadata(const Json& value) const {
    std::map<std::string, std::string> metadata;
    if (!value.is_object()) fail("__metadata__ is not a JSON object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(fmt::format("__metadata__ holds no string for \"{}\"", key));
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  // An array of whole numbers that are not negative.
  std::vector<std::uint64_t> read_numbers(const std::string& name, const Json& value, const char* key) const {
    std::vector<std::uint64_t> numbers;
    if (value.contains(key) && value[key].is_array()) {
      for (const Json& number : value[key]) {
        if (!number.is_number_unsigned()) break;
        numbers.push_back(number.get<std::uint64_t>());
      }
      if (numbers.size() == value[key].size()) return numbers;
    }
    fail(fmt::format("tensor {}: {} is not a list of whole numbers", name, key));
  }

  DType read_dtype(const std::string& name, const Json& value) const {
    if (!value.is_object()) fail(fmt::format("tensor {}: described by something that is not a JSON object", name));
    const std::string dtype = value.contains("dtype") && value["dtype"].is_string() ? value["dtype"] : Json("nothing");
    if (dtype == "F32") return DType::f32;
    if (dtype == "F64") return DType::f64;
    fail(fmt::format("tensor {}: its type is {}, and only F32 and F64 are read", name, dtype));
  }

  Array read_array(const std::string& name, const Json& value) {
    const DType dtype = read_dtype(name, value);
    const std::vector<std::uint64_t> extents = read_numbers(name, value, "shape");
    const std::vector<std::uint64_t> offsets = read_numbers(name, value, "data_offsets");
    if (extents.size() > Shape::max_rank)
      fail(fmt::format("tensor {}: it has {} axes, and at most {} are read", name, extents.size(), Shape::max_rank));
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      fail(fmt::format("tensor {}: data_offsets is not [begin, end]", name));
    if (offsets[1] > data_.size())
      fail(
          fmt::format("truncated: tensor {} ends at byte {} of the data, and {} are there; copy or make the file again",
                      name, offsets[1], data_.size()));

    std::vector<std::int64_t> shape;
    const bool none = std::find(extents.begin(), extents.end(), std::uint64_t{0}) != extents.end();
    std::uint64_t bytes = none ? 0 : size_of(dtype);
    for (std::uint64_t extent : extents) {
      // no product below can exceed the data, so none overflows
      if (extent != 0 && bytes > data_.size() / extent) bytes = data_.size() + 1;
      if (bytes <= data_.size()) bytes *= extent;
      shape.push_back(static_cast<std::int64_t>(std::min<std::uint64_t>(extent, INT64_MAX)));
    }
    if (bytes != offsets[1] - offsets[0])
      fail(fmt::format("tensor {}: ({}) in {} does not fill the {} bytes of its data_offsets", name,
                       fmt::join(shape, ", "), to_string(dtype), offsets[1] - offsets[0]));
    used_.emplace_back(offsets[0], offsets[1]);
    Array array(Shape(shape), dtype);
    if (bytes > 0) std::memcpy(array.data(), data_.data() + offsets[0], bytes);
    return array;
  }

  // Together the tensors must cover the data, each byte once: the format asks for it, so that no file hides anything.
  void require_no_gaps() {
    std::sort(used_.begin(), used_.end());
    std::uint64_t end = 0;
    for (const auto& [from, to] : used_) {
      if (from != end)
        fail(fmt::format("data_offsets overlap or leave a gap at byte {} of the data", std::min(from, end)));
      end = to;
    }
    if (end != data_.size()) fail(fmt::format("{} bytes of data belong to no tensor", data_.size() - end));
  }

  std::string_view bytes_, what_, data_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> used_;
};

}  // namespace

const Array* SafeTensors::find(std::string_view name) const {
  const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const Entry& e) { return e.name == name; });
  return found == arrays.end() ? nullptr : &found->array;
}

std::string safetensors_bytes(const SafeTensors& contents) {
  Json header = Json::object();
  if (!contents.metadata.empty()) header[metadata_key] = contents.metadata;
  std::size_t end = 0;
  for (const auto& [name, array] : contents.arrays) {
    if (header.contains(name)) throw FileError(fmt::format("safetensors: two tensors are named {}", name));
    const std::size_t begin = end;
    end += array.size() * size_of(array.dtype());
    header[name] = {{"dtype", array.dtype() == DType::f32 ? "F32" : "F64"},
                    {"shape", array.shape().vector()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the elements are aligned

  const std::uint64_t length = text.size();
  std::string bytes(length_bytes, '\0');
  std::memcpy(bytes.data(), &length, length_bytes);
  bytes += text;
  for (const auto& [name, array] : contents.arrays)
    bytes.append(static_cast<const char*>(array.data()), array.size() * size_of(array.dtype()));
  return bytes;
}

SafeTensors parse_safetensors(std::string_view bytes, std::string_view what) { return Parser(bytes, what).parse(); }

void save_safetensors(const std::filesystem::path& file, const SafeTensors& contents) {
  write_whole_file(file, safetensors_bytes(contents));
}

SafeTensors load_safetensors(const std::filesystem::path& file) {
  return parse_safetensors(read_whole_file(file), file.string());
}

}  // namespace unroll
