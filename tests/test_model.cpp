#include "support.hpp"

#include <unroll/core/array/safetensors.hpp>
#include <unroll/core/array/utf8.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/character_model.hpp>
#include <unroll/layers/initializers.hpp>
#include <unroll/layers/over_time.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>

#include <doctest/doctest.h>

#include <unistd.h>

namespace unroll::test {

namespace {

namespace fs = std::filesystem;

// A folder of a test's own, gone with it.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("unroll-test-model-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

// A file in the format, put together by hand.
std::string file_of(const std::string& header, const std::string& data, std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}
std::string file_of(const std::string& header, const std::string& data) { return file_of(header, data, header.size()); }

// What reading says against some bytes.
std::string fault(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "m");
  } catch (const FileError& e) { return e.what(); }
  return "nothing";
}

std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

CharacterModel small_model(CellKind cell = CellKind::lstm, std::int64_t layers = 1) {
  Generator generator(3);
  return {{.cell = cell, .embedding = 4, .hidden = 6, .layers = layers}, Vocabulary(U"기차는 abc"), generator};
}

}  // namespace

TEST_CASE("safetensors: what was written is read") {
  Generator generator(1);
  SafeTensors contents;
  contents.metadata = {{"format", "x"}, {"characters", "기 \"\n"}};
  contents.arrays = {{"b", normal({3}, 1, generator, DType::f32)},
                     {"a", normal({2, 3}, 1, generator, DType::f64)},
                     {"number", Array::scalar(4, DType::f64)},
                     {"nothing", Array({0, 3}, DType::f32)}};
  const std::string bytes = safetensors_bytes(contents);
  const SafeTensors back = parse_safetensors(bytes);
  CHECK(back.metadata == contents.metadata);
  REQUIRE(back.arrays.size() == contents.arrays.size());
  for (std::size_t i = 0; i < back.arrays.size(); ++i) {
    CHECK(back.arrays[i].name == contents.arrays[i].name);
    CHECK(same_bits(back.arrays[i].array, contents.arrays[i].array));
  }
  CHECK(back.find("a") == &back.arrays[1].array);
  CHECK(back.find("c") == nullptr);

  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  CHECK(bytes[8] == '{');
  CHECK(bytes.size() == 8 + length + 3 * 4 + 6 * 8 + 8);
}

TEST_CASE("safetensors: a file made by hand is read") {
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);  // 1 and -2
  const SafeTensors contents = parse_safetensors(file_of(one_tensor("F32", "[2]", "[0,8]") + "   ", data));
  REQUIRE(contents.arrays.size() == 1);
  CHECK(contents.arrays[0].name == "w");
  CHECK(same_bits(contents.arrays[0].array, Array({2}, {1, -2}, DType::f32)));
}

TEST_CASE("safetensors: every damage has its message") {
  const std::string eight(8, 'x');
  CHECK(fault("") == "m: not a safetensors file: it has 0 bytes, and the length of the header alone takes 8");
  CHECK(fault("%PDF-1.7 and so on") == "m: not a safetensors file: there is no JSON header after the first 8 bytes");
  CHECK(fault(file_of("{}", "", 100'000'001)) ==
        "m: the header claims 100000001 bytes, and 100000000 is the most that safetensors allows");
  CHECK(fault(file_of("{}", "", 9)) ==
        "m: truncated: the header claims 9 bytes, and 2 are there; copy or make the file again");
  CHECK(fault(file_of("{...", "")).starts_with("m: the header is not JSON: "));
  CHECK(fault(file_of(R"({"w": 3})", "")) == "m: tensor w: described by something that is not a JSON object");
  CHECK(fault(file_of(one_tensor("BF16", "[4]", "[0,8]"), eight)) ==
        "m: tensor w: its type is BF16, and only F32 and F64 are read");
  CHECK(fault(file_of(R"({"w":{"shape":[2],"data_offsets":[0,8]}})", eight)) ==
        "m: tensor w: its type is nothing, and only F32 and F64 are read");
  CHECK(fault(file_of(one_tensor("F32", "[-2]", "[0,8]"), eight)) ==
        "m: tensor w: shape is not a list of whole numbers");
  CHECK(fault(file_of(one_tensor("F32", "[2]", "[0,8.5]"), eight)) ==
        "m: tensor w: data_offsets is not a list of whole numbers");
  CHECK(fault(file_of(one_tensor("F32", "[2]", "[8,0]"), eight)) == "m: tensor w: data_offsets is not [begin, end]");
  CHECK(fault(file_of(one_tensor("F32", "[2]", "[0,8]"), "1234567")) ==
        "m: truncated: tensor w ends at byte 8 of the data, and 7 are there; copy or make the file again");
  CHECK(fault(file_of(one_tensor("F32", "[3]", "[0,8]"), eight)) ==
        "m: tensor w: (3) in float32 does not fill the 8 bytes of its data_offsets");
  CHECK(fault(file_of(one_tensor("F32", "[4611686018427387906]", "[0,8]"), eight)) ==
        "m: tensor w: (4611686018427387906) in float32 does not fill the 8 bytes of its data_offsets");
  CHECK(fault(file_of(one_tensor("F32", "[1]", "[4,8]"), eight)) ==
        "m: data_offsets overlap or leave a gap at byte 0 of the data");
  CHECK(fault(file_of(one_tensor("F32", "[1]", "[0,4]"), eight)) == "m: 4 bytes of data belong to no tensor");
  CHECK(fault(file_of(R"({"__metadata__":{"epochs":3}})", "")) == "m: __metadata__ holds no string for \"epochs\"");
  CHECK(fault(file_of(R"({"__metadata__":[]})", "")) == "m: __metadata__ is not a JSON object");
}

TEST_CASE("safetensors: a file cut anywhere, or with any byte of its header changed, is read or refused, never more") {
  SafeTensors contents;
  contents.metadata = {{"format", "x"}};
  contents.arrays = {{"a", Array({2, 2}, {1, 2, 3, 4})}, {"b", Array({1}, {5})}};
  const std::string bytes = safetensors_bytes(contents);
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(fault(bytes.substr(0, n)) != "nothing");
  for (std::size_t i = 0; i < bytes.size() - 5 * 8; ++i)
    for (const char other : {'\0', '\xff', '9', '"', '}'}) {
      std::string changed = bytes;
      changed[i] = other;
      fault(changed);  // nothing but a FileError may come out, or the case fails
    }
}

TEST_CASE("files are written whole or not at all") {
  const Folder folder;
  const fs::path file = folder.path / "new" / "folder" / "file";
  require_writable(file);
  CHECK(!fs::exists(file));
  write_whole_file(file, "one");
  write_whole_file(file, "two");
  CHECK(read_whole_file(file) == "two");
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);

  const std::string name = file.string();
  CHECK(message([&] { write_whole_file(file.parent_path(), "x"); }) ==
        "cannot write " + file.parent_path().string() + ": there is a folder of that name");
  CHECK(message([&] {
          write_whole_file(file / "below", "x");
        }).starts_with("cannot write " + name + "/below: Not a directory"));
  CHECK(message([&] { read_whole_file(folder.path / "none"); }) ==
        "cannot read " + (folder.path / "none").string() + ": No such file or directory");
  CHECK(message([&] { read_whole_file(folder.path); }) ==
        "cannot read " + folder.path.string() + ": it is a folder, not a file");
}

TEST_CASE("characters are code points") {
  CHECK(decode_utf8("a기😀") == U"a기😀");
  CHECK(encode_utf8(U"a기😀") == "a기😀");
  const auto position = [](const std::string& text) {
    try {
      decode_utf8(text);
    } catch (const Utf8Error& e) { return static_cast<int>(e.position); }
    return -1;
  };
  CHECK(position("abc\xff") == 3);
  CHECK(position("기\xea\xb8") == 3);     // a character that is cut off
  CHECK(position("\xc0\xaf") == 0);       // longer than it need be
  CHECK(position("a\xed\xa0\x80") == 1);  // half of a surrogate pair
  CHECK(position("") == -1);

  const Vocabulary vocabulary(U"기차 기");
  CHECK(vocabulary.characters() == U" 기차");
  CHECK(vocabulary.encode(U"차기 ") == std::vector<std::int64_t>{2, 1, 0});
  CHECK(message([&] { vocabulary.encode(U"기x"); }) ==
        "the character 'x' (U+0078) is not among the 3 that the model knows");
  CHECK(message([&] { vocabulary.encode(U"\n"); }) == "the character U+000A is not among the 3 that the model knows");
}

TEST_CASE("text streams show every character and what comes next") {
  // two streams of 5 predictions: 0 1 2 3 4 -> 1 2 3 4 5 and 5 6 7 8 9 -> 6 7 8 9 10; character 11 is left over
  const TextStreams text({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 2, 3);
  CHECK(text.streams() == 2);
  CHECK(text.windows() == 2);
  CHECK(text.predictions() == 10);
  const TextWindow first = text.window(0), second = text.window(1);
  CHECK(first.inputs == std::vector<std::int64_t>{0, 5, 1, 6, 2, 7});
  CHECK(first.targets == std::vector<std::int64_t>{1, 6, 2, 7, 3, 8});
  CHECK(second.steps == 2);
  CHECK(second.inputs == std::vector<std::int64_t>{3, 8, 4, 9});
  CHECK(second.inputs_at(1)[1] == 9);

  CHECK(TextStreams({0, 1, 2, 3, 4, 5}, 16, 2).streams() == 2);
  CHECK(TextStreams({0, 1}, 16, 64).predictions() == 1);
  CHECK(message([] { TextStreams({0}, 1, 1); }) ==
        "text: 1 characters are too few: there must be one to see and one to predict");
}

TEST_CASE("a stack of layers is the layers one after the other") {
  Generator generator(5), same(5);
  const RecurrentStack stack(
      {.cell = CellKind::gru, .input = 3, .hidden = 4, .layers = 2, .reset = Reset::after, .dtype = DType::f64},
      generator);
  const GRU below({.input = 3, .hidden = 4, .reset = Reset::after, .name = "gru1", .dtype = DType::f64}, same);
  const GRU above({.input = 4, .hidden = 4, .reset = Reset::after, .name = "gru2", .dtype = DType::f64}, same);
  CHECK(stack.parameters().front().name() == "gru1.W_x");
  CHECK(stack.parameters().back().name() == "gru2.b_h");
  CHECK(stack.parameter_count() == below.parameter_count() + above.parameter_count());

  Tape tape;
  const Var x = tape.input(normal({5, 2, 3}, 1, generator, DType::f64));
  const auto stacked = over_time(stack, x, stack.zero_state(tape, 2));
  const Var middle = over_time(below, x).stacked();
  CHECK(same_bits(stacked.stacked().value(), over_time(above, middle).stacked().value()));
  CHECK(message([&] { stack(time_steps(x)[0], {}); }) == "gru: 0 states were given for 2 layers");
}

TEST_CASE("a character model predicts with probabilities, and its state runs on from window to window") {
  for (CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru})
    for (std::int64_t layers : {1, 2}) {
      const CharacterModel model = small_model(cell, layers);
      const std::vector<std::int64_t> text = model.vocabulary.encode(U"abc 기차는 cab는는 기");
      // One character at a time, with the softmax written out.
      double bits = 0;
      CharacterModel::CarriedState state = model.zero_state(1);
      for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        Tape tape;
        const Array logits = model.logits(tape, text[i], state).value().copy();
        double sum = 0;
        for (std::size_t k = 0; k < logits.size(); ++k) sum += std::exp(logits.flat(k));
        bits -= std::log2(std::exp(logits.flat(static_cast<std::size_t>(text[i + 1]))) / sum);
      }
      bits /= static_cast<double>(text.size() - 1);
      INFO(to_string(cell), " ", layers);
      CHECK(bits_per_character(model, TextStreams(text, 1, 100)) == doctest::Approx(bits).epsilon(1e-5));
      CHECK(bits_per_character(model, TextStreams(text, 1, 3)) == doctest::Approx(bits).epsilon(1e-5));
    }
}

TEST_CASE("bits per character: asked to stop, it has counted the first window, and those before the question") {
  const CharacterModel model = small_model(CellKind::lstm, 1);
  const std::vector<std::int64_t> text = model.vocabulary.encode(U"abc 기차는 cab는는 기abc");
  const auto first = [&](std::size_t windows) {
    const std::vector<std::int64_t> beginning(text.begin(),
                                              text.begin() + static_cast<std::ptrdiff_t>(3 * windows + 1));
    return bits_per_character(model, TextStreams(beginning, 1, 3));
  };
  for (int questions = 1; questions <= 3; ++questions) {
    int asked = 0;
    const double bits = bits_per_character(model, TextStreams(text, 1, 3), [&] { return ++asked == questions; });
    CHECK(asked == questions);
    CHECK(bits == doctest::Approx(first(static_cast<std::size_t>(questions))).epsilon(1e-12));
  }
}

TEST_CASE("every parameter of a character model gets a gradient") {
  const CharacterModel model = small_model(CellKind::lstm, 2);
  const TextStreams text(model.vocabulary.encode(U"abc 기차는 cab는는 기"), 2, 4);
  Tape tape;
  CharacterModel::CarriedState state = model.zero_state(2);
  const Gradients gradients = backward(model.loss(tape, text.window(0), state));
  for (const Parameter& p : model.parameters()) {
    INFO(p.name());
    CHECK(gradients.norm(p) > 0);
  }
}

TEST_CASE("samples: equal seeds write the same, temperature 0 needs no seed") {
  const CharacterModel model = small_model();
  const auto written = [&](double temperature, std::uint64_t seed) {
    return sample(model, U"abc", {.length = 40, .temperature = temperature, .seed = seed});
  };
  CHECK(written(1, 1).size() == 40);
  CHECK(written(1, 1) == written(1, 1));
  CHECK(written(1, 1) != written(1, 2));
  CHECK(written(0, 1) == written(0, 2));
  CHECK(written(1e-6, 1) == written(0, 1));  // nearly cold is as good as cold
  CHECK(sample(model, U"a", {.length = 0}).empty());
  CHECK(message([&] { sample(model, U""); }) == "the prompt is empty: give at least one character to begin with");
  CHECK(message([&] { sample(model, U"abx"); }) ==
        "the character 'x' (U+0078) is not among the 7 that the model knows");
}

TEST_CASE("at temperature 1, characters come as often as the model says") {
  const CharacterModel model = small_model();
  // an untrained model finds all characters about equally likely, at any temperature
  for (Parameter parameter : model.parameters()) {
    Array& value = parameter.mutable_value();
    for (std::size_t i = 0; i < value.size(); ++i) value.set_flat(i, 4 * value.flat(i));
  }
  Tape tape;
  CharacterModel::CarriedState state = model.zero_state(1);
  const Var p = softmax(model.logits(tape, model.vocabulary.encode(U"a")[0], state));
  std::vector<int> count(static_cast<std::size_t>(model.vocabulary.size()));
  constexpr int draws = 4000;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    const std::u32string one = sample(model, U"a", {.length = 1, .temperature = 1, .seed = seed});
    ++count[static_cast<std::size_t>(model.vocabulary.encode(one)[0])];
  }
  for (std::size_t i = 0; i < count.size(); ++i) {
    const double expected = p.value().flat(i);
    const double deviation = std::sqrt(expected * (1 - expected) / draws);
    CHECK(std::abs(static_cast<double>(count[i]) / draws - expected) < 5 * deviation);
  }
}

TEST_CASE("a model that was saved writes as before") {
  const Folder folder;
  const fs::path file = folder.path / "model.safetensors";
  for (CellKind cell : {CellKind::rnn, CellKind::lstm, CellKind::gru}) {
    const CharacterModel model = small_model(cell, 2);
    save(file, model);
    const CharacterModel loaded = load_character_model(file);
    CHECK(loaded.vocabulary.characters() == model.vocabulary.characters());
    REQUIRE(loaded.parameters().size() == model.parameters().size());
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
      CHECK(same_bits(loaded.parameters()[i].value(), model.parameters()[i].value()));
    CHECK(sample(loaded, U"기차") == sample(model, U"기차"));
  }
}

TEST_CASE("every damage of a model has its message") {
  const Folder folder;
  const fs::path file = folder.path / "model.safetensors";
  save(file, small_model());
  const SafeTensors good = load_safetensors(file);
  const std::string name = file.string() + ": ";
  const auto fault_of = [&](const std::function<void(SafeTensors&)>& damage) {
    SafeTensors contents = good;
    damage(contents);
    save_safetensors(file, contents);
    const std::string said = message([&] { load_character_model(file); });
    return said.starts_with(name) ? said.substr(name.size()) : said;
  };
  CHECK(fault_of([](SafeTensors&) {}) == "nothing");
  CHECK(fault_of([](SafeTensors& m) {
          m.metadata = {{"format", "pt"}};
        }) == "its format is \"pt\", and this version of unroll reads \"unroll-character-model-1\"");
  CHECK(fault_of([](SafeTensors& m) { m.metadata.clear(); }) ==
        "a safetensors file, but no character model of unroll: `unroll train --text FILE --save MODEL` makes one");
  CHECK(fault_of([](SafeTensors& m) { m.metadata.erase("hidden"); }) ==
        "damaged: \"hidden\" is missing in the metadata");
  for (const char* number : {"0", "-6", "6x", "", "99999999999999999999", "1000000"})
    CHECK(fault_of([&](SafeTensors& m) { m.metadata["hidden"] = number; }) ==
          std::string("damaged: \"hidden\" is \"") + number + "\" in the metadata, which does not fit the tensors");
  CHECK(fault_of([](SafeTensors& m) { m.metadata["cell"] = "transformer"; }) ==
        "the cell is \"transformer\", and this version knows rnn, lstm and gru");
  CHECK(fault_of([](SafeTensors& m) { m.metadata["reset"] = "never"; }) ==
        "damaged: \"reset\" is \"never\", expected before or after");
  for (const char* characters : {"", "ba", "aa"})
    CHECK(fault_of([&](SafeTensors& m) { m.metadata["vocabulary"] = characters; }) ==
          "damaged: the characters of the vocabulary are not in order, each once");
  CHECK(fault_of([](SafeTensors& m) { m.arrays.erase(m.arrays.begin() + 1); }) ==
        "damaged: the tensor lstm.W_x is missing");
  CHECK(fault_of([](SafeTensors& m) { m.metadata["hidden"] = "5"; }) ==
        "damaged: the tensor lstm.W_x has shape (4, 24), expected (4, 20)");
  CHECK(fault_of([](SafeTensors& m) { m.arrays[3].array = Array({24}, DType::f64); }) ==
        "damaged: the tensor lstm.b is float64, expected float32");
  CHECK(fault_of([](SafeTensors& m) {
          m.arrays[3].array = m.arrays[3].array.copy();
          m.arrays[3].array.set_flat(7, std::nan(""));
        }) == "the tensor lstm.b holds nan, which is no weight");
  CHECK(fault_of([](SafeTensors& m) {
          m.arrays.push_back({"more", Array({1}, {1})});
        }) == "damaged: it has 7 tensors, expected 6");
  write_whole_file(file, "");
  CHECK(message([&] { load_character_model(file); }) ==
        name + "not a safetensors file: it has 0 bytes, and the length of the header alone takes 8");
}

}  // namespace unroll::test
