// PostgreSQL's C client library, as Debian's libpq-dev installs it. Nothing is added.
#include <libpq-fe.h>
