/* The profile pi3-camera, compiled in, so that a device needs no file of it. */
#include "policy.h"

const unsigned char policy_builtin[] = {
#include "pi3-camera.inc"
};
const size_t policy_builtin_bytes = sizeof policy_builtin;
