// What an applied configuration does to an object: values are merged in, and fields are taken out.
#pragma once

#include "cluster/fields/field_set.hpp"
#include "cluster/fields/field_type.hpp"

namespace kruise::cluster::fields {

/// Writes what `config` sets over `live`. Elements of lists come in the order of `config`, those it does not name stay among
/// them.
[[nodiscard]] Json merge(const Json& live, const Json& config, const FieldType&);

/// `value` without the fields of the set. An object or list that loses its last part is null.
[[nodiscard]] Json remove_fields(const Json& value, const FieldSetPtr&, const FieldType&);

/// The set, and each declared member on the way to its paths: what is taken out whole when nobody owns anything in it.
[[nodiscard]] FieldSetPtr with_declared_members(const FieldSetPtr&, const FieldType&);

}  // namespace kruise::cluster::fields
