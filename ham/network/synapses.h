// The built-in hypersynapses: functions that return alignments F; a synapse's energy is −F.
#pragma once

#include "ham/network/expression.h"

namespace ham {

/// F = Σ W_{ab…} g_a g_b …: one axis of W per layer, any number of layers. Parameter W.
Alignment dense(double standard_deviation = 0.02);

/// Whether stored patterns have unit length: as they are, over all visible layers together (the paper's text), or in
/// each layer separately (its code).
enum class UnitNorm { none, joint, per_block };

/// F = L(Σ_a g_a W_a): a τ → 0 hidden layer of `hidden` units with Lagrangian L that all visible layers share.
/// Parameters W0, W1, …; beta_hid and so on.
struct HiddenOptions {
  int hidden = 1000;
  Lagrangian lagrangian = Lagrangian::relu();
  UnitNorm norm = UnitNorm::none;
  bool per_token = false;  ///< W acts on each layer's last axis, every token has its own hidden units
  double standard_deviation = 0.02;
};
Alignment dense_hidden(HiddenOptions options);

/// F = Σ_heads L(h), h_{head,unit} = Σ W_{head,unit,a,b…} g_a g_b …. Parameter W.
struct TensorHiddenOptions {
  int heads = 1;
  int hidden = 10;
  Lagrangian lagrangian = Lagrangian::relu();
  double standard_deviation = 0.02;
};
Alignment tensor_hidden(TensorHiddenOptions options);

/// F = pool(conv(g_0, K) + b) · g_1, from an (H, W, C) layer to an (H', W', C') layer. Parameters K, b.
struct ConvolutionSynapse {
  int kernel_height = 3, kernel_width = 3;
  int stride_height = 1, stride_width = 1;
  int padding_height = 0, padding_width = 0;
  bool bias = true;
  bool pooled = false;
  PoolOptions pooling;
};
Alignment convolution_synapse(ConvolutionSynapse options);

/// F = Σ_{heads,queries} L_keys(Q·K), Q = g_q Wq, K = g_k Wk: cross attention between two layers, self attention when
/// the same layer is given twice. With normalize, Q and K are layer-normalized over z first (γ and δ shared, as in
/// HAMUX). Layers of more than two axes are flattened to tokens by their last axis. Parameters Wq, Wk; beta_hid.
struct AttentionOptions {
  int heads = 1;
  int z = 64;
  Lagrangian lagrangian = Lagrangian::softmax();
  bool normalize = false;
  bool skip_self = false;  ///< a query does not attend to the key of the same token (Energy Transformer)
  double standard_deviation = 0.02;
};
Alignment attention(AttentionOptions options);

/// F = Σ_heads L(h), h_{head,unit} = Σ_tokens g_a W_{head,unit} g_b. Parameter W.
struct MixerOptions {
  int heads = 1;
  int units = 64;
  Lagrangian lagrangian = Lagrangian::softmax();
  double standard_deviation = 0.02;
};
Alignment mixer(MixerOptions options);

/// F = b · g: a constant force. Parameter b.
Alignment bias(double standard_deviation = 0.02);

}  // namespace ham
