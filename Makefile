# The usual targets, for those whose fingers know them; script/ does the work.
#   make                          what is missing is installed (root or sudo), and all is built
#   make install PREFIX=/usr      DESTDIR=… puts it elsewhere
#   make check                    the tests, in the normal build
#   make deb                      Debian packages
PREFIX ?= /usr/local
BUILD ?= build

all:
	script/setup
	script/build $(BUILD) --prefix=$(PREFIX)

# Nothing is compiled here: as root it would leave files of root's in the build folder. What was built for another
# place would look for its files there.
install:
	@case " $$(cat $(BUILD)/.options 2>&1) " in *" --prefix=$(PREFIX) "*) ;; \
	*) echo 'make install: $(BUILD) is not built for $(PREFIX): run "make PREFIX=$(PREFIX)" first' >&2; exit 1 ;; esac
	meson install -C $(BUILD) --no-rebuild --quiet

check:
	script/test --fast

deb:
	script/package

clean:
	rm -rf $(BUILD)

.PHONY: all install check deb clean
