/* See library.h. The tables are filled once and never change after that. */
#define HTTPD_LIBRARY_TABLE
#include "library.h"

struct httpd_mhd httpd_mhd;
struct httpd_tls httpd_tls;

bool httpd_libraries_load(struct stint_error **err)
{
#define NAME(function) #function,
	static const char *const mhd_names[] = {HTTPD_MHD(NAME)};
	static const char *const tls_names[] = {HTTPD_TLS(NAME)};
#undef NAME
	if (httpd_mhd.MHD_run)
		return true;
	return stint_library_load("libgnutls.so.30", tls_names, &httpd_tls, STINT_COUNT(tls_names), err) &&
		stint_library_load("libmicrohttpd.so.12", mhd_names, &httpd_mhd, STINT_COUNT(mhd_names), err);
}
