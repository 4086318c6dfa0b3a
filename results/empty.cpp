// placeholder so that the room builds before its first source lands
