/*
 * jsonpath: kubectl's templates. "{.items[*].metadata.name}", text around braces, {range}…{end}, filters [?(@.x=="y")], indexes and ranges
 * (negative from the end), ['a.b'] and .a\.b, wildcards, .. at any depth, unions [0,2], quoted literals {"\n"}. Without braces the whole
 * text is one path. Missing fields print nothing, as in kubectl. Pure; a compiled template keeps no pointer into what it was made of.
 */
#ifndef STINT_CLI_JSONPATH_H
#define STINT_CLI_JSONPATH_H

#include <stint/base.h>
#include <stint/text.h>

struct cli_jsonpath;
struct cli_jsonpath *cli_jsonpath_compile(const char *text, struct stint_error **err); /* STINT_USAGE: what is wrong, and where */
void cli_jsonpath_print(const struct cli_jsonpath *path, const struct stint_json *document, struct stint_buf *out);
/* The first value that a path (no template: ".status.phase") leads to in the document, or NULL. The document's. */
const struct stint_json *cli_jsonpath_first(const struct cli_jsonpath *path, const struct stint_json *document);
void cli_jsonpath_free(struct cli_jsonpath *path);

#endif
