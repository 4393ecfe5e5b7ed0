// Package structure is the algebra of structured local Jacobians.
//
// The Jacobian ∂y/∂x of an edge is a tensor over the axes of y and of x. A [Term] says which of its entries differ from
// zero and on what they depend, by labels: every axis is indexed by labels; a label that an axis of y shares with an axis
// of x is a Kronecker delta; the value has an axis for each label it depends on. With the labels ℓ,
//
//	J[o…, i…] = Σ_ℓ value[ℓ] · Π δ(o_a = out_a(ℓ)) · Π δ(i_b = in_b(ℓ)).
//
// An axis that one label indexes directly gives the identity, diagonal, Kronecker, dense, permuted and broadcast
// structures. An axis may also be indexed by several labels in row-major order (a reshape) and through a map of positions
// (slice, pad, concat, gather), so that moving elements never becomes a product with a selection matrix.
//
// [Multiply] composes two terms through the axes between them, [Add] merges parallel ones. Both say what becomes of the
// structure and how to compute the new value; neither touches numbers. A sum of terms that do not merge is an [Edge].
package structure
