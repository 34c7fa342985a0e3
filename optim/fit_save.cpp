#include <unroll/optim/fit_save.hpp>

#include <unroll/core/array/hash.hpp>
#include <unroll/core/array/safetensors.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <system_error>

#include <fmt/format.h>

namespace unroll::detail {

namespace {

namespace fs = std::filesystem;

// Changes when older programs could not read a newer file.
constexpr const char* format = "unroll-training-1";

// The names of the parameters; the second of two that are named alike gets a number.
std::vector<std::string> unique_names(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const Parameter& p : parameters) {
    const int n = ++seen[p.name()];
    names.push_back(n == 1 ? p.name() : fmt::format("{}#{}", p.name(), n));
  }
  return names;
}

// By which damage to the file shows.
std::string checksum(const SafeTensors& contents) {
  std::uint64_t hash = fnv1a({});
  for (const auto& [key, text] : contents.metadata)
    if (key != "checksum") hash = fnv1a(text, fnv1a(key, hash));
  for (const auto& [name, array] : contents.arrays)
    hash = fnv1a({static_cast<const char*>(array.data()), array.size() * size_of(array.dtype())}, fnv1a(name, hash));
  return fmt::format("{:016x}", hash);
}

// What a save holds in a fixed form, as arrays over the memory that the training itself uses: they are written as they are, and read in place.
std::vector<SafeTensors::Entry> parts(const FitOptions& options, Optimizer& optimizer, FitProgress& progress) {
  std::vector<SafeTensors::Entry> all;
  const std::vector<Parameter>& parameters = optimizer.parameters();
  const std::vector<std::string> names = unique_names(parameters);
  for (std::size_t i = 0; i < names.size(); ++i) all.push_back({"parameter " + names[i], parameters[i].value()});
  for (const auto& [memory, arrays] : optimizer.memory())
    for (std::size_t i = 0; i < names.size(); ++i)
      all.push_back({fmt::format("{} of {}", memory, names[i]), (*arrays)[i]});
  const auto number = [&](const std::string& name, double* place) {
    all.push_back({name, Array::wrap({}, DType::f64, place, nullptr)});
  };
  number("loss", &progress.loss);
  number("mean loss", &progress.mean_loss);
  number("learning rate", &optimizer.learning_rate());
  for (const auto& [name, place] : options.memory.numbers) number("number " + name, place);
  return all;
}

std::string state_part(const std::string& name, std::size_t i) { return fmt::format("state {} {}", name, i); }

// Reads one save and knows its name for messages.
class Reader {
 public:
  explicit Reader(const fs::path& file) : file_(file.string()), contents_(load_safetensors(file)) {
    const auto found = contents_.metadata.find("format");
    if (found == contents_.metadata.end() || !found->second.starts_with("unroll-training-"))
      fail("a safetensors file, but no save of a training: name another file for the saves");
    if (found->second != format)
      fail(fmt::format("its format is \"{}\", and this version of unroll reads \"{}\"", found->second, format));
    if (text("checksum") != checksum(contents_)) damaged("its bytes are not those that were written");
  }

  [[noreturn]] void damaged(const std::string& why) const {
    fail(fmt::format("damaged: {}. Put a copy in its place, or delete it to begin anew", why));
  }
  [[noreturn]] void foreign(const std::string& why) const {
    fail(
        fmt::format("the save of another training: {}. Go on with the program and the options that made it, or name "
                    "another file (or delete this one) to begin anew",
                    why));
  }

  void require_same(const std::string& key, std::string_view here) const {
    if (text(key) != here) foreign(fmt::format("its {} is \"{}\", here it is \"{}\"", key, text(key), here));
  }

  std::int64_t count(const std::string& key) const {
    const std::string& digits = text(key);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0)
      damaged(fmt::format("{} is \"{}\"", key, digits));
    return value;
  }

  Generator generator(const std::string& name) const {
    auto generator = Generator::from_text(text("generator " + name));
    if (!generator) damaged(fmt::format("generator {} is none", name));
    return *generator;
  }

  const Array& array(const std::string& name) const {
    if (const Array* found = contents_.find(name)) return *found;
    foreign(fmt::format("it has no {}", name));
  }

  // An array for the place of one that is there already.
  const Array& array_for(const SafeTensors::Entry& place) const {
    const Array& found = array(place.name);
    if (found.shape() != place.array.shape() || found.dtype() != place.array.dtype())
      foreign(fmt::format("its {} has shape {} in {}, here it has {} in {}", place.name, to_string(found.shape()),
                          to_string(found.dtype()), to_string(place.array.shape()), to_string(place.array.dtype())));
    return found;
  }

  // That nothing is in the save that the training does not have.
  void require_no_more(std::vector<std::string> known) const {
    std::sort(known.begin(), known.end());
    for (const auto& entry : contents_.arrays)
      if (!std::binary_search(known.begin(), known.end(), entry.name))
        foreign(fmt::format("it has {}, which is not here", entry.name));
    for (const auto& [key, value] : contents_.metadata)
      if (key.starts_with("generator ") && !std::binary_search(known.begin(), known.end(), key))
        foreign(fmt::format("it has {}, which is not here", key));
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw FileError(fmt::format("{}: {}", file_, why)); }

  const std::string& text(const std::string& key) const {
    const auto found = contents_.metadata.find(key);
    if (found == contents_.metadata.end()) foreign(fmt::format("it has no {}", key));
    return found->second;
  }

  std::string file_;
  SafeTensors contents_;
};

}  // namespace

void write_save(const FitOptions& options, Optimizer& optimizer, FitProgress progress) {
  SafeTensors contents;
  contents.metadata = {{"format", format},
                       {"optimizer", std::string(optimizer.rule())},
                       {"fingerprint", options.fingerprint},
                       {"update", std::to_string(progress.update)},
                       {"updates", std::to_string(options.updates)}};
  for (const auto& [name, generator] : options.memory.generators)
    contents.metadata["generator " + name] = generator->text();
  contents.arrays = parts(options, optimizer, progress);
  for (const auto& [name, state] : options.memory.states) {
    contents.metadata["state " + name] = std::to_string(state->size());
    for (std::size_t i = 0; i < state->size(); ++i) contents.arrays.push_back({state_part(name, i), (*state)[i]});
  }
  contents.metadata["checksum"] = checksum(contents);
  save_safetensors(options.save, contents);
}

std::optional<FitProgress> read_save(const FitOptions& options, Optimizer& optimizer) {
  std::error_code error;
  if (fs::status(options.save, error).type() == fs::file_type::not_found) return std::nullopt;
  if (!fs::is_regular_file(options.save, error))
    throw FileError(fmt::format("{}: not an ordinary file, which a save must be", options.save.string()));
  const Reader reader(options.save);
  reader.require_same("optimizer", optimizer.rule());
  reader.require_same("fingerprint", options.fingerprint);

  // all is read before the first is changed
  FitProgress progress;
  progress.update = reader.count("update");
  if (progress.update > options.updates)
    reader.foreign(fmt::format("it has done {} updates, and {} are planned here", progress.update, options.updates));
  if (options.schedule && reader.count("updates") != options.updates)
    reader.foreign(fmt::format("its schedule is for {} updates, and {} are planned here", reader.count("updates"),
                               options.updates));
  std::vector<Generator> generators;
  for (const auto& [name, place] : options.memory.generators) generators.push_back(reader.generator(name));
  std::vector<std::string> known;
  std::vector<SafeTensors::Entry> places = parts(options, optimizer, progress);
  std::vector<Array> arrays;
  for (const auto& place : places) {
    arrays.push_back(reader.array_for(place));
    known.push_back(place.name);
  }
  std::vector<CarriedState> states;
  for (const auto& [name, place] : options.memory.states) {
    states.emplace_back();
    for (std::int64_t i = 0, n = reader.count("state " + name); i < n; ++i) {
      known.push_back(state_part(name, static_cast<std::size_t>(i)));
      states.back().push_back(reader.array(known.back()));
    }
  }
  for (const auto& [name, place] : options.memory.generators) known.push_back("generator " + name);
  reader.require_no_more(std::move(known));

  for (Parameter p : optimizer.parameters()) p.mutable_value();  // counts as a change: older recordings know of it
  for (std::size_t i = 0; i < places.size(); ++i)
    if (arrays[i].size() > 0)
      std::memcpy(places[i].array.data(), arrays[i].data(), arrays[i].size() * size_of(arrays[i].dtype()));
  for (std::size_t i = 0; i < generators.size(); ++i) *options.memory.generators[i].second = generators[i];
  for (std::size_t i = 0; i < states.size(); ++i) *options.memory.states[i].second = std::move(states[i]);
  return progress;
}

}  // namespace unroll::detail
