SRC := $(wildcard src/*.c)
OBJ := $(SRC:.c=.o)

all: app

app: $(OBJ)
	$(CC) -o $@ $^

%.o: %.c
	$(CC) -c $< -o $@

$(OBJ): %.o: %.c
	$(CC) -c $<

.c.o:
	$(CC) -c $<

docs/%.html: docs/%.md
	pandoc $< -o $@

format:
	clang-format -i main.c
