# Short names for `python3 dev.py COMMAND`; see there.
.PHONY: setup demo lint test check bench docs
setup demo lint test check bench docs:
	python3 dev.py $@
