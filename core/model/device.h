/* What the decoders of claims (claim.c) share with those of devices (device.c). */
#ifndef STINT_MODEL_DEVICE_H
#define STINT_MODEL_DEVICE_H

#include "core/model/private.h"

/* Keeps the first sentence about what is not understood. */
void note_problem(struct stint_model *model, const char **problem, const char *text);
bool read_selectors(struct decoder *d, struct stint_device_selectors *out, const char **problem);
void selectors_drop(struct stint_device_selectors *selectors);
void split_name(struct stint_model *model, struct stint_slice text, const char **domain, const char **name);

#endif
