#include <unroll/optim/optimizer.hpp>

namespace unroll {

void Optimizer::step(const Gradients& gradients) {
  begin_step();
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
