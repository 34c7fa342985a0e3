#include <unroll/optim/optimizer.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace unroll {

Optimizer::Optimizer(const std::vector<Parameter>& parameters) {
  for (const Parameter& p : parameters) {
    if (std::find(parameters_.begin(), parameters_.end(), p) != parameters_.end()) continue;
    parameters_.push_back(p);
    shapes_.push_back(p.shape());
    dtypes_.push_back(p.dtype());
  }
}

void Optimizer::step(const Gradients& gradients) {
  // all are checked before the first is changed
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients.contains(parameters_[i])) continue;
    const Parameter& p = parameters_[i];
    const ArrayView gradient = gradients[p];
    if (gradient.shape != shapes_[i] || p.shape() != shapes_[i])
      throw ShapeError(fmt::format("optimizer: parameter {} had shape {} at first, now it has {} and its gradient {}",
                                   p.name(), to_string(shapes_[i]), to_string(p.shape()), to_string(gradient.shape)));
    if (gradient.dtype != dtypes_[i] || p.dtype() != dtypes_[i])
      throw DTypeError(fmt::format("optimizer: parameter {} was {} at first, now it is {} and its gradient {}",
                                   p.name(), to_string(dtypes_[i]), to_string(p.dtype()), to_string(gradient.dtype)));
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients.contains(parameters_[i])) continue;
    const ArrayView view = gradients[parameters_[i]];
    // an Array over the gradient's own memory, which outlives this call
    const Array gradient =
        view.contiguous() ? Array::wrap(view.shape, view.dtype, const_cast<void*>(view.data), nullptr) : view.copy();
    update(i, parameters_[i].mutable_value(), gradient);
  }
}

std::vector<Array> Optimizer::zeros() const {
  std::vector<Array> result;
  for (const Parameter& p : parameters_) result.emplace_back(p.shape(), p.dtype());
  return result;
}

}  // namespace unroll
