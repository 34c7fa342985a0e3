#pragma once

// Everything a program needs. The bridge to xtensor comes first, because it must stand before any other xtensor header.
#include <unroll/core/array/xtensor.hpp>

#include <unroll/core/array/random.hpp>
#include <unroll/core/check/gradcheck.hpp>
#include <unroll/core/grad/backward.hpp>
#include <unroll/core/grad/jvp.hpp>
#include <unroll/core/ops/ops.hpp>
#include <unroll/core/render/draw.hpp>
#include <unroll/core/render/equations.hpp>
#include <unroll/core/render/listing.hpp>
#include <unroll/core/render/operation_table.hpp>
#include <unroll/core/tape/tape.hpp>
#include <unroll/layers/any_cell.hpp>
#include <unroll/layers/bidirectional.hpp>
#include <unroll/layers/embedding.hpp>
#include <unroll/layers/gradcheck.hpp>
#include <unroll/layers/gru.hpp>
#include <unroll/layers/initial_state.hpp>
#include <unroll/layers/layer_norm.hpp>
#include <unroll/layers/linear.hpp>
#include <unroll/layers/losses.hpp>
#include <unroll/layers/lstm.hpp>
#include <unroll/layers/over_time.hpp>
#include <unroll/layers/packed.hpp>
#include <unroll/layers/padded_batch.hpp>
#include <unroll/layers/recurrent_stack.hpp>
#include <unroll/layers/rnn.hpp>
#include <unroll/layers/stack.hpp>
#include <unroll/layers/state.hpp>
#include <unroll/layers/summary.hpp>
#include <unroll/layers/textbook.hpp>
#include <unroll/optim/clipping.hpp>
#include <unroll/optim/optimizers.hpp>
