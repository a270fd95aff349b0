/* See curl.h. The table is filled once and never changes after that; like libcurl's own state it belongs to the process. */
#define KUBE_CURL_TABLE
#include "core/kube/curl.h"

struct kube_curl kube_curl;

bool kube_curl_load(struct stint_error **err)
{
#define NAME(function) #function,
	static const char *const names[] = {KUBE_CURL(NAME)};
#undef NAME
	return kube_curl.curl_global_init || stint_library_load("libcurl.so.4", names, &kube_curl, STINT_COUNT(names), err);
}
