/*
 * How a plain YAML scalar is typed: the rules of YAML 1.1 that sigs.k8s.io/yaml applies, shared by the reader and the printer.
 */
#ifndef STINT_TEXT_SCALAR_H
#define STINT_TEXT_SCALAR_H

#include <stint/text.h>

/* The value that an unquoted scalar stands for; never NULL. Infinity and NaN, which JSON cannot say, stay text. */
struct stint_json *stint_scalar_resolve(const char *text);

#endif
