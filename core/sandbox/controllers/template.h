/*
 * template: pods and other children made from what their owner says. Pure.
 */
#ifndef STINT_SANDBOX_TEMPLATE_H
#define STINT_SANDBOX_TEMPLATE_H

#include <stint/text.h>

/* The controller reference to that owner, which has apiVersion and kind. Appends to metadata.ownerReferences of child. */
void template_own(struct stint_json *child, const struct stint_json *owner);
/* Takes the references to that owner's uid off; true when there was one. */
bool template_disown(struct stint_json *child, const char *owner_uid);
/* A Pod with the labels, annotations, finalizers and spec of the pod template, owned by owner, named NAME- and a suffix. */
struct stint_json *template_pod(const struct stint_json *owner, const struct stint_json *pod_template);
/* Ten characters that depend on the template's content alone, for pod-template-hash and controller revisions. */
enum { TEMPLATE_HASH_SIZE = 11 };
void template_hash(const struct stint_json *pod_template, int64_t collisions, char out[static TEMPLATE_HASH_SIZE]);
/* The same template but for the label pod-template-hash. */
bool template_same(const struct stint_json *a, const struct stint_json *b);

#endif
