#pragma once

#include <unroll/core/check/v_curve.hpp>

#include <filesystem>

namespace unroll::cli {

// The V-curve of an entry as an SVG file: the error against the step, both on logarithmic axes. Throws Error if there is no positive error to draw, FileError
// if the file cannot be written.
void draw(const VCurve& curve, const std::filesystem::path& file);

}  // namespace unroll::cli
