#pragma once

#include <unroll/core/tape/op.hpp>

// One operation of each family: naming it links the family's file, whose definitions register themselves.
namespace unroll {

const Op& arithmetic_family();
const Op& elementary_family();
const Op& activations_family();
const Op& choice_family();
const Op& products_family();
const Op& reductions_family();
const Op& classification_family();
const Op& shapes_family();
const Op& assembly_family();
const Op& training_family();

inline constexpr const Op& (*families[])() = {
    arithmetic_family, elementary_family,     activations_family, choice_family,   products_family,
    reductions_family, classification_family, shapes_family,      assembly_family, training_family};

}  // namespace unroll
