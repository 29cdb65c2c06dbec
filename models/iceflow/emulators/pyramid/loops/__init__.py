"""Steps towards the balance of forces as compiled loops, for one glacier on a CPU."""
