#pragma once

#include "coprocess_object.pb.h"

namespace sample {

/// Asks the hook that the object names. It changes the object; what it leaves
/// alone stays as it was. A name that no hook has changes nothing. Throws a
/// std::exception when the hook fails.
void apply(coprocess::Object& object);

}  // namespace sample
