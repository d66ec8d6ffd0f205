// JDBC as a client that is told by lines what to ask; the lines are described in ../accuracy.
// Usage: java -cp postgresql.jar Client.java HOST PORT USER DATABASE auto|transaction
// (the driver speaks TCP only). Statements are kept: from the fifth run on they are prepared on the server, and binary.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;

public class Client {
    static final Map<String, PreparedStatement> prepared = new HashMap<>();

    static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    static String cellOf(ResultSet rows, int column) throws SQLException {
        int type = rows.getMetaData().getColumnType(column);
        String text = rows.getString(column);
        if (text == null)
            return "n";
        if (type == Types.BIGINT || type == Types.INTEGER || type == Types.SMALLINT)
            return "i" + text;
        return "s" + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    static String rowsOf(ResultSet rows) throws SQLException {
        StringJoiner all = new StringJoiner("\t");
        while (rows.next()) {
            StringJoiner row = new StringJoiner(",");
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++)
                row.add(cellOf(rows, i));
            all.add(row.toString());
        }
        return all.toString();
    }

    static String ask(Connection connection, String[] parts) throws SQLException {
        String sql = decode(parts[1]).replaceAll("\\$\\d+", "?");
        PreparedStatement statement = prepared.get(sql);
        if (statement == null)
            prepared.put(sql, statement = connection.prepareStatement(sql));
        for (int i = 2; i < parts.length; i++) {
            String value = parts[i].substring(1);
            switch (parts[i].charAt(0)) {
            case 'i' -> statement.setInt(i - 1, Integer.parseInt(value));
            case 'a' -> statement.setArray(i - 1, connection.createArrayOf("int8", value.split(",")));
            default -> statement.setString(i - 1, decode(value));
            }
        }
        if (!statement.execute())
            return "";
        try (ResultSet rows = statement.getResultSet()) {
            return rowsOf(rows);
        }
    }

    public static void main(String[] given) throws Exception {
        String url = "jdbc:postgresql://" + given[0] + ":" + given[1] + "/" + given[3] + "?sslmode=disable&user=" + given[2];
        try (Connection connection = DriverManager.getConnection(url)) {
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
            connection.setAutoCommit(given[4].equals("auto"));
            System.out.println();
            for (String line; (line = lines.readLine()) != null;) {
                String answer = "";
                if (!line.equals("end"))
                    answer = ask(connection, line.split("\t"));
                else if (!connection.getAutoCommit())
                    connection.commit();
                System.out.println(answer);
            }
        }
    }
}
